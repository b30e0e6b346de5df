import type { ActiveRun, StartRun } from '../contracts/engine.js';
import type { JobError } from '../contracts/job.js';
import type { Outcome } from '../contracts/outcome.js';

/** For a run that broke its promise and told no outcome of its own. */
const KEEP_BROKEN = { age: 7 * 24 * 60 * 60 * 1_000, count: 10_000 };

/** Turns whatever goes wrong in starting or running into a failed job, so that a worker goes on in any case. */
export function guarded(start: StartRun): StartRun {
  return (job, slot) => {
    try {
      return start(job, slot);
    } catch (error) {
      return answered(error);
    }
  };
}

/** The outcome of a run whose promise was rejected, which it never should be. */
export function broken(error: unknown): Outcome {
  return { type: 'failed', error: toJobError(error), keep: KEEP_BROKEN };
}

function answered(error: unknown): ActiveRun {
  return { outcome: Promise.resolve(broken(error)), abort: () => undefined };
}

/** What was thrown may throw itself when it is looked at. */
function toJobError(error: unknown): JobError {
  try {
    if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
    return { name: error.name, message: error.message, stack: error.stack };
  } catch {
    return { name: 'Error', message: 'The run broke with a value that cannot be shown.' };
  }
}
