import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from './duration.js';
import type { FailedJob } from './job.js';
import type { Signature } from './signature.js';
import type { Backoff, BackoffFunction, CallOptions, ErrorClass } from './task.js';

/** At most so many runs at a time in the whole cluster, of the task or, with `key`, of each key of its arguments. */
export interface ConcurrencyLimit {
  /** At least 1. */
  max: number;
  // eslint-disable-next-line typescript/no-explicit-any -- the arguments of a task that is not known here
  key?: (...args: any[]) => string;
}

/** Never more than `max` starts in any sliding `per`, in the whole cluster, of the task or of each key of its arguments. */
export interface RateLimit {
  /** At least 1. */
  max: number;
  per: Duration;
  // eslint-disable-next-line typescript/no-explicit-any -- the arguments of a task that is not known here
  key?: (...args: any[]) => string;
}

/** Options of `@Task()`: the defaults for every call of it. */
export interface TaskOptions extends Omit<CallOptions, 'backoff' | 'metadata'> {
  /** The task's name in the queue; choose one where a job must survive renaming the class. @default `Class.method` */
  name?: string;
  /** Wait between attempts, or a function that answers it. */
  backoff?: Backoff | BackoffFunction;
  /** Only these errors are tried again; absent: all but those in `discardOn`. */
  retryOn?: readonly ErrorClass[];
  /** These errors fail the job at once. Stands above `retryOn`. */
  discardOn?: readonly ErrorClass[];
  /** How long and how many failed jobs are kept. @default { age: '7d', count: 10_000 } */
  keepFailed?: Duration | { age?: Duration; count?: number };
  /** Absent: as many as the queue's workers have places for. */
  concurrency?: ConcurrencyLimit;
  /** Absent: no limit. */
  rateLimit?: RateLimit;
  /**
   * Any Standard Schema (zod, valibot, arktype …) of the first argument. A call that does not fit is refused when it is
   * enqueued; the value is stored as it was given, and the task gets what the schema makes of it. Absent: no check.
   */
  schema?: StandardSchemaV1;
  /**
   * `'thread'`: runs in a worker thread with a Nest context of its own, off the event loop. Needs
   * `TasksModule.forRoot({ threads: { module: import.meta.url } })`. Absent: on the event loop, as everything else.
   */
  isolate?: 'thread';
  /**
   * Makes a call of what has failed for good; the call is enqueued before the failure is on record. As Celery's
   * `link_error` and Dramatiq's `on_retry_exhausted`.
   */
  onFailed?: (failure: FailedJob) => Signature<unknown>;
}
