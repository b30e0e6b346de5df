import type { ActiveJob } from '../contracts/engine.js';
import type { TasksError } from '../contracts/errors.js';
import type { RunRecord } from '../contracts/job.js';
import type { FailedRetention, Outcome } from '../contracts/outcome.js';
import { toJobError } from './failure.js';
import { fail } from './settle.js';

const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 15_000;
const PATIENCE = 10 * 60_000;

/**
 * Puts off a job that this worker cannot run though the job is not to blame, for another worker or for later: 1 s,
 * doubling to 15 s. Fails it 10 minutes after it first met an error of this code.
 *
 * Each wait is shortened by up to a half, by chance: idle workers take turns, so that two jobs that are put off in step
 * would meet each other's worker for ever.
 *
 * @param now milliseconds since the epoch
 * @param random answers a number from 0 up to 1
 * @param last what the job fails with
 */
export function putOff(
  job: ActiveJob,
  error: TasksError,
  now: number,
  keepFailed: FailedRetention,
  random: () => number,
  last = error,
): Outcome {
  const refusals = latestRefusals(job.runs, error.code);
  const since = refusals[0]?.startedAt ?? now;
  if (now - since >= PATIENCE) return fail(last, keepFailed);
  const delay = Math.round(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** refusals.length) * (1 - random() / 2));
  return { type: 'snooze', delay, because: 'snooze', error: toJobError(error) };
}

/** A run that came further starts the count anew. */
function latestRefusals(runs: readonly RunRecord[], code: string): readonly RunRecord[] {
  const lastOther = runs.findLastIndex((run) => run.error?.code !== code);
  return runs.slice(lastOther + 1);
}
