import type { ActiveJob } from '../contracts/engine.js';
import { UnknownTaskError } from '../contracts/errors.js';
import type { FailedRetention, Outcome } from '../contracts/outcome.js';
import { suggest } from '../contracts/suggestion.js';
import { putOff } from './put-off.js';

/**
 * Puts back a job whose task this worker does not have, as happens while a deploy rolls, and fails it 10 minutes after
 * it first met such a worker.
 *
 * @param known names of the tasks that this worker has
 * @param now milliseconds since the epoch
 */
export function settleUnknownTask(
  job: ActiveJob,
  known: readonly string[],
  now: number,
  keepFailed: FailedRetention,
  random: () => number,
): Outcome {
  const near = suggest(job.task, known);
  const error = new UnknownTaskError(
    `This worker does not have the task '${job.task}', so job ${job.id} was put back for another. ${near} ` +
      `If no deploy is under way, add the provider that declares it to a module of the worker.`,
  );
  const last = new UnknownTaskError(
    `No worker that was given job ${job.id} in 10 minutes has the task '${job.task}'. ${near} ` +
      `Deploy a worker with a provider whose method is marked @Task({ name: '${job.task}' }), and enqueue the job again.`,
  );
  return putOff(job, error, now, keepFailed, random, last);
}
