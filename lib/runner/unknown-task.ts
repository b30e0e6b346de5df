import type { ActiveJob } from '../contracts/engine.js';
import { UnknownTaskError } from '../contracts/errors.js';
import type { RunRecord } from '../contracts/job.js';
import type { FailedRetention, Outcome } from '../contracts/outcome.js';
import { suggest } from '../contracts/suggestion.js';
import { toJobError } from './failure.js';
import { fail } from './settle.js';

const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 15_000;
const PATIENCE = 10 * 60_000;

/**
 * Puts back a job whose task this worker does not have, as happens while a deploy rolls: 1 s, doubling to 15 s,
 * and fails it 10 minutes after it first met such a worker.
 *
 * @param known names of the tasks that this worker has
 * @param now milliseconds since the epoch
 */
export function settleUnknownTask(
  job: ActiveJob,
  known: readonly string[],
  now: number,
  keepFailed: FailedRetention,
): Outcome {
  const refusals = latestRefusals(job.runs);
  const since = refusals[0]?.startedAt ?? now;
  const near = suggest(job.task, known);
  if (now - since >= PATIENCE) {
    return fail(
      new UnknownTaskError(
        `No worker that was given job ${job.id} in 10 minutes has the task '${job.task}'. ${near} ` +
          `Deploy a worker with a provider whose method is marked @Task({ name: '${job.task}' }), and enqueue the job again.`,
      ),
      keepFailed,
    );
  }
  const error = new UnknownTaskError(
    `This worker does not have the task '${job.task}', so job ${job.id} was put back for another. ${near} ` +
      `If no deploy is under way, add the provider that declares it to a module of the worker.`,
  );
  const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** refusals.length);
  return { type: 'snooze', delay, because: 'snooze', error: toJobError(error) };
}

/** A run by a worker that had the task starts the count anew. */
function latestRefusals(runs: readonly RunRecord[]): readonly RunRecord[] {
  const lastKnown = runs.findLastIndex((run) => run.error?.code !== 'TASKS_UNKNOWN_TASK');
  return runs.slice(lastKnown + 1);
}
