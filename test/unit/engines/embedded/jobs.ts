import { systemClock, type Clock as LibraryClock } from '../../../../lib/contracts/clock.js';
import type { JobRules } from '../../../../lib/contracts/job.js';
import { toEmbeddedJob, type EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { newJob } from '../../../support/new-job.js';

/** A job as the parts of the embedded engine pass it around. */
export function embeddedJob(id: string, rules?: JobRules): EmbeddedJob {
  return toEmbeddedJob(newJob(id, { rules }));
}

export function idsOf(jobs: Iterable<{ id: string }>): string[] {
  return Array.from(jobs, ({ id }) => id);
}

/** A clock that stands still until it is moved on, or goes on with each look at it. */
export class Clock implements LibraryClock {
  readonly setTimer: LibraryClock['setTimer'] = (...timer) => systemClock.setTimer(...timer);
  readonly clearTimer: LibraryClock['clearTimer'] = (timer) => systemClock.clearTimer(timer);
  time = 1_000_000;
  /** Milliseconds. */
  perLook = 0;

  readonly now = (): number => (this.time += this.perLook);
}
