import { toMilliseconds, type Duration } from '../contracts/duration.js';
import { JobLockLostError, TaskCancelledError, type TasksError } from '../contracts/errors.js';
import type { FailedRetention, Outcome } from '../contracts/outcome.js';
import { RefusedArguments } from '../contracts/schema.js';
import { Discard, Retry, Snooze } from '../contracts/steering.js';
import type { ErrorClass } from '../contracts/task.js';
import { tame, toJobError } from './failure.js';

/** What decides about a run that threw. */
export interface FailurePolicy {
  /** Of the task, for messages, e.g. `MailTasks.sendEmail`. */
  place: string;
  /** From 1. */
  attempt: number;
  attempts: number;
  /** Absent: every error is tried again. */
  retryOn?: readonly ErrorClass[];
  /** Stands above `retryOn`. */
  discardOn?: readonly ErrorClass[];
  keepFailed: FailedRetention;
  /** Answers the wait before the next attempt, in milliseconds. */
  backoff(error: unknown): number;
}

/** Whether a task said itself what is to become of its job. */
export function isSteering(thrown: unknown): thrown is Retry | Snooze | Discard {
  return thrown instanceof Retry || thrown instanceof Snooze || thrown instanceof Discard;
}

/** Whether the engine drops the outcome of a run that was aborted for this reason. */
export function isDropped(reason: TasksError | undefined): boolean {
  return reason instanceof JobLockLostError || reason instanceof TaskCancelledError;
}

/** Decides the outcome of a run from what it threw, tame. */
export function settle(thrown: unknown, policy: FailurePolicy): Outcome {
  try {
    if (thrown instanceof Snooze) return snooze(thrown, policy);
    if (thrown instanceof Retry) return retry(thrown, policy);
  } catch (badDuration) {
    return settleError(badDuration, policy);
  }
  if (thrown instanceof Discard) return fail(thrown, policy.keepFailed);
  if (thrown instanceof RefusedArguments) return fail(thrown.refusal, policy.keepFailed);
  return settleError(thrown, policy);
}

/** Fails the job at once, whatever attempts are left. */
export function fail(error: unknown, keep: FailedRetention): Outcome {
  return { type: 'failed', error: toJobError(error), keep };
}

function snooze({ delay }: Snooze, { place }: FailurePolicy): Outcome {
  return {
    type: 'snooze',
    delay: wholeMilliseconds(delay, `The delay of the Snooze thrown by ${place}`),
    because: 'snooze',
  };
}

function retry(thrown: Retry, policy: FailurePolicy): Outcome {
  const error = tame(thrown.cause ?? thrown);
  const { delay } = thrown;
  if (delay === undefined) return tryAgain(error, policy);
  const wait = wholeMilliseconds(delay, `The delay of the Retry thrown by ${policy.place}`);
  return tryAgain(error, policy, wait);
}

function settleError(error: unknown, policy: FailurePolicy): Outcome {
  const { retryOn, discardOn, keepFailed } = policy;
  if (discardOn && isOneOf(error, discardOn)) return fail(error, keepFailed);
  if (retryOn && !isOneOf(error, retryOn)) return fail(error, keepFailed);
  return tryAgain(error, policy);
}

function tryAgain(error: unknown, policy: FailurePolicy, wait?: number): Outcome {
  if (policy.attempt >= policy.attempts) return fail(error, policy.keepFailed);
  return { type: 'retry', delay: wait ?? policy.backoff(error), error: toJobError(error) };
}

/** A circular import can leave undefined in the list. */
function isOneOf(error: unknown, classes: readonly ErrorClass[]): boolean {
  return classes.some((errorClass) => typeof errorClass === 'function' && error instanceof errorClass);
}

function wholeMilliseconds(delay: Duration, where: string): number {
  return Math.round(toMilliseconds(delay, where));
}
