import type { Duration } from './duration.js';

/**
 * Thrown by a task to be run again, using an attempt; after the last one the job fails with `cause`.
 * As ARQ's and Celery's `Retry`.
 */
export class Retry extends Error {
  /** Absent: the task's backoff decides. Zero: at once. */
  readonly delay?: Duration;

  constructor(options: { delay?: Duration; cause?: unknown } = {}) {
    super('The task asked to be retried.', { cause: options.cause });
    this.name = 'Retry';
    this.delay = options.delay;
  }
}

/** Thrown by a task to be run again after `delay` without using an attempt. As Oban's `{:snooze, seconds}`. */
export class Snooze extends Error {
  constructor(readonly delay: Duration) {
    super('The task asked to be run later.');
    this.name = 'Snooze';
  }
}

/** Thrown by a task to fail its job at once, whatever attempts are left. As Oban's `{:cancel, reason}`. */
export class Discard extends Error {
  constructor(readonly reason: string) {
    super(reason);
    this.name = 'Discard';
  }
}
