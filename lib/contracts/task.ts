/**
 * The words, each with one meaning in every file:
 *
 * | word      | meaning                                                                                       |
 * | --------- | --------------------------------------------------------------------------------------------- |
 * | task      | a decorated provider method: a name and options. A definition, never a running thing          |
 * | signature | one call of a task, described but not sent: task name, arguments, options. Immutable          |
 * | job       | a signature that was handed to an engine: id, state, attempts. Never a definition             |
 * | engine    | keeps jobs and gives them out: `embedded` (this process) or `bull` (Redis)                    |
 * | runner    | carries out one job and answers with an outcome                                               |
 * | outcome   | `completed`, `retry`, `snooze`, `failed`: all that a runner tells an engine                   |
 * | run       | one try at a job by one worker                                                                |
 * | handle    | what the caller holds: id, result, state, progress                                            |
 */
import type { Duration } from './duration.js';
import type { OnConflict, Priority } from './job.js';

/**
 * How long to wait before the next attempt.
 *
 * A bare duration is the same wait each time. `exponential` starts at `delay` and multiplies by `factor` (2) up to
 * `max` (10 minutes). A backoff given by the user has no jitter unless it says so: `jitter: 0.2` is ± 20 %.
 */
export type Backoff =
  Duration | { type: 'fixed' | 'exponential'; delay: Duration; factor?: number; max?: Duration; jitter?: number };

/** Answers the wait before the next attempt; `attempt` is the one that failed, from 1. Zero: at once. */
export type BackoffFunction = (attempt: number, error: Error) => Duration;

/** An error class, for `retryOn` and `discardOn`. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** At most one job of a task and key at a time, within its queue. */
export interface UniqueOptions {
  /** Makes the key of the arguments. Absent: the arguments as JSON, whatever the order of their fields. */
  // eslint-disable-next-line typescript/no-explicit-any -- the arguments of a task that is not known here
  key?: (...args: any[]) => string;
  /** When the key is free again: once the job has started, or has ended, or after a time, ended or not. */
  until: 'started' | 'finished' | Duration;
  /**
   * `return`: the earlier job's handle, `deduplicated`; `reject`: DuplicateJobError; `replace`: an earlier job that has
   * not started is cancelled, and after a running one the new one starts when it has ended. @default 'return'
   */
  onConflict?: OnConflict;
}

/** What a call may set: plain data that travels with the job. Of task, signature and call, the nearest to the call wins. */
export interface CallOptions {
  /** Wait before the job may start. Zero: at once. @default 0 */
  delay?: Duration;
  /** A queue declared in `forRoot`. @default 'default' */
  queue?: string;
  /** @default 'normal' */
  priority?: Priority;
  /**
   * How long after the instant it is due a job may still start, retries included; or the instant itself. Past it the
   * job is `expired`. Absent: for ever. As Celery's `expires` and Dramatiq's `max_age`.
   */
  expires?: Duration | Date;
  /** Absent: every call makes a job of its own. */
  unique?: UniqueOptions;
  /** Words to find and cancel jobs by; those of task, signature and call are united. */
  tags?: readonly string[];
  /** Runs in total, the first one included; 1 to 100,000. @default 3 */
  attempts?: number;
  /** Wait between attempts. @default exponential from 1 s, factor 2, at most 10 min, jitter 0.2 */
  backoff?: Backoff;
  /** Longest time for one run; `false`: none. @default '5m' */
  timeout?: Duration | false;
  /** How long a completed job and its result are kept; `false` or 0: nothing is kept. @default '1h' */
  keepResult?: Duration | false;
  /** Small map of text that the task reads as `context.metadata`. Merged over task, signature and call. */
  metadata?: Readonly<Record<string, string>>;
}

/** Options of one call. `delay` and `at` together are an error; the nearest to the call replaces either. */
export interface EnqueueOptions extends CallOptions {
  /** The instant from which the job may start; a past one: at once. */
  at?: Date;
  /** The job's id; while it is known within its queue, enqueueing it again answers the same job. */
  jobId?: string;
}
