import type { JobError, JobRules } from './job.js';

/**
 * All that a runner tells an engine about a run. The runner decides, the engine obeys.
 *
 * Times are milliseconds; a `delay` of 0 puts the job back to be taken at once.
 */
export type Outcome =
  | {
      type: 'completed';
      /** JSON; absent for a task that answered nothing. */
      result?: string;
      /** How long the job stays known. 0: it is forgotten at once, after those who wait got the result. */
      keep: number;
    }
  /** Uses an attempt; the job runs again after `delay`. */
  | { type: 'retry'; delay: number; error: JobError }
  /** Uses no attempt. */
  | { type: 'snooze'; delay: number; because: 'snooze' | 'shutdown'; error?: JobError }
  /** The run never began: no trace of it is kept, and no attempt is used. `rules` take the place of the job's own. */
  | { type: 'declined'; delay: number; rules?: JobRules }
  | { type: 'failed'; error: JobError; keep: FailedRetention };

/** How long (milliseconds) and how many failed jobs of a task are kept. An age or count of 0: nothing is kept. */
export interface FailedRetention {
  age: number;
  count: number;
}
