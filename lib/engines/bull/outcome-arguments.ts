import type { ActiveJob } from '../../contracts/engine.js';
import type { JobError, RunOutcome, RunRecord } from '../../contracts/job.js';
import type { Outcome } from '../../contracts/outcome.js';
import type { ScriptArgument } from './scripts.js';
import type { TakenJob } from './stored-job.js';
import { writeRuns } from './stored-runs.js';

/** A run that ended, with what is needed to write its outcome. */
export class EndedRun {
  readonly job: ActiveJob;
  readonly data: string;
  readonly opts: string;
  readonly debounce: string;
  readonly rules: string;
  endedAt: number;

  constructor(
    { job, data, opts, debounce, rules }: TakenJob,
    /** Value of the job's lock, which no later run of it has. */
    readonly lock: string,
    public startedAt: number,
    readonly worker: string,
  ) {
    this.job = job;
    this.data = data;
    this.opts = opts;
    this.debounce = debounce;
    this.rules = rules;
    this.endedAt = startedAt;
  }
}

/** The arguments of one ended run, as `turn.lua` and `finish.lua` read them. */
export function toFinishArguments(run: EndedRun, outcome: Outcome): ScriptArgument[] {
  const { job, lock } = run;
  switch (outcome.type) {
    case 'completed': {
      // Nothing is left of most jobs whose result is not kept, and less is to be said of them.
      if (outcome.keep <= 0 && run.rules === '' && run.debounce === '')
        return [job.id, lock, 'gone', outcome.result ?? ''];
      const runs = outcome.keep > 0 ? recordRun(run, 'completed') : '';
      return [job.id, lock, 'completed', outcome.result ?? '', Math.ceil(outcome.keep), runs, run.debounce, run.rules];
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
        run.rules,
      ];
    }
    case 'retry': {
      const { delay, error } = outcome;
      const attemptsMade = job.attemptsMade + 1;
      const failure = { reason: error.message, traces: stackTraces(job, error) };
      return again(run, { delay, attemptsMade, runs: recordRun(run, 'retry', error), ...failure });
    }
    case 'snooze': {
      const { delay, because, error } = outcome;
      return again(run, { delay, runs: recordRun(run, because, error), isFirst: because === 'shutdown' });
    }
    case 'declined': {
      const { delay, rules } = outcome;
      const how = { delay, runs: writeRuns(job.runs), isFirst: true, rules: rules && JSON.stringify(rules) };
      return again(run, how, 'declined');
    }
  }
}

interface Again {
  delay: number;
  runs: string;
  attemptsMade?: number;
  /** Before all that waits. */
  isFirst?: boolean;
  reason?: string;
  traces?: string;
  /** In place of those it has. */
  rules?: string;
}

function again(
  { job, lock, endedAt, rules: former }: EndedRun,
  how: Again,
  kind: 'again' | 'declined' = 'again',
): ScriptArgument[] {
  const { delay, runs, attemptsMade = job.attemptsMade, isFirst = false, reason = '', traces = '', rules = '' } = how;
  const due = delay > 0 ? Math.ceil(endedAt + delay) : 0;
  return [job.id, lock, kind, due, isFirst ? '1' : '0', attemptsMade, runs, reason, traces, rules, former];
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
