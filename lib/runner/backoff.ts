import { toMilliseconds } from '../contracts/duration.js';
import type { StoredBackoff } from '../contracts/job.js';
import type { BackoffFunction } from '../contracts/task.js';
import { toJobError } from './failure.js';

/** A rule for the wait before the next attempt. */
export type BackoffRule = StoredBackoff | BackoffFunction;

/** The attempt that went wrong. */
export interface FailedAttempt {
  /** From 1. */
  attempt: number;
  error: unknown;
}

/** Holds where even the app's default is a function that does not work. */
const LAST_RESORT: StoredBackoff = { type: 'exponential', delay: 1_000, factor: 2, max: 600_000, jitter: 0.2 };

/**
 * Answers the wait before the next attempt in whole milliseconds, by the first rule that works; 0: at once.
 *
 * @param random answers a number from 0 up to 1, for the jitter
 * @param report hears why a rule was passed over
 */
export function backoffDelay(
  rules: readonly BackoffRule[],
  failed: FailedAttempt,
  random: () => number,
  report: (problem: unknown) => void,
): number {
  for (const rule of new Set(rules)) {
    try {
      return Math.round(toMilliseconds(applyRule(rule, failed, random), 'The wait that backoff answered'));
    } catch (problem) {
      report(problem);
    }
  }
  return Math.round(growingDelay(LAST_RESORT, failed.attempt, random));
}

function applyRule(rule: BackoffRule, { attempt, error }: FailedAttempt, random: () => number) {
  if (typeof rule === 'function') return rule(attempt, asError(error));
  return growingDelay(rule, attempt, random);
}

function growingDelay({ type, delay, factor, max, jitter }: StoredBackoff, attempt: number, random: () => number) {
  // Zero times an endless factor would be NaN.
  if (delay === 0) return 0;
  const grown = type === 'fixed' ? delay : delay * factor ** (attempt - 1);
  const spread = 1 + jitter * (2 * random() - 1);
  return Math.min(max, grown) * spread;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(toJobError(thrown).message, { cause: thrown });
}
