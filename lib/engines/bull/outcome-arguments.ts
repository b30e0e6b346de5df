import type { ActiveJob } from '../../contracts/engine.js';
import type { JobError, RunOutcome, RunRecord } from '../../contracts/job.js';
import type { Outcome } from '../../contracts/outcome.js';
import type { ScriptArgument } from './scripts.js';
import { writeRuns, type TakenJob } from './stored-job.js';

/** A run that ended, with what is needed to write its outcome. */
export interface EndedRun extends TakenJob {
  /** Value of the job's lock, this run's alone. */
  lock: string;
  startedAt: number;
  endedAt: number;
  worker: string;
}

/** The arguments of one ended run, as `turn.lua` and `finish.lua` read them. */
export function toFinishArguments(run: EndedRun, outcome: Outcome): ScriptArgument[] {
  const { job, lock } = run;
  switch (outcome.type) {
    case 'completed': {
      const runs = outcome.keep > 0 ? recordRun(run, 'completed') : '';
      return [job.id, lock, 'completed', outcome.result ?? '', Math.ceil(outcome.keep), runs, run.debounce];
    }
    case 'failed': {
      const { error, keep } = outcome;
      const attempts = job.attemptsMade + 1;
      const runs = recordRun(run, 'failed', error);
      const traces = stackTraces(job, error);
      const stored = JSON.stringify(error);
      return [
        job.id,
        lock,
        'failed',
        error.message,
        stored,
        traces,
        attempts,
        Math.ceil(keep.age),
        keep.count,
        runs,
        run.debounce,
      ];
    }
    case 'retry': {
      const { error } = outcome;
      const runs = recordRun(run, 'retry', error);
      const traces = stackTraces(job, error);
      return again(run, outcome.delay, false, job.attemptsMade + 1, runs, error.message, traces);
    }
    case 'snooze': {
      const runs = recordRun(run, outcome.because, outcome.error);
      return again(run, outcome.delay, outcome.because === 'shutdown', job.attemptsMade, runs);
    }
    case 'declined':
      return again(run, outcome.delay, true, job.attemptsMade, writeRuns(job.runs));
  }
}

function again(
  { job, lock, endedAt }: EndedRun,
  delay: number,
  isFirst: boolean,
  attemptsMade: number,
  runs: string,
  reason = '',
  traces = '',
): ScriptArgument[] {
  const due = delay > 0 ? Math.ceil(endedAt + delay) : 0;
  return [job.id, lock, 'again', due, isFirst ? '1' : '0', attemptsMade, runs, reason, traces];
}

function recordRun({ job, startedAt, endedAt, worker }: EndedRun, outcome: RunOutcome, error?: JobError): string {
  const run: RunRecord = { attempt: job.attemptsMade + 1, startedAt, endedAt, worker, outcome };
  if (error) run.error = error;
  return job.runs.length === 0 ? JSON.stringify(run) : writeRuns([...job.runs, run]);
}

/** Bull's own record of failures, for its tools: the stack of each, oldest first. */
function stackTraces(job: ActiveJob, error: JobError): string {
  const errors = [...job.runs.flatMap((run) => (run.error ? [run.error] : [])), error];
  return JSON.stringify(errors.slice(-10).map(({ name, message, stack }) => stack ?? `${name}: ${message}`));
}
