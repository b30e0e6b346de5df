import { RUNS_KEPT, type ActiveJob, type ActiveRun, type KnownState, type NewJob } from '../../contracts/engine.js';
import type {
  JobError,
  JobOptions,
  JobRecord,
  JobRules,
  RunOutcome,
  RunRecord,
  WaitingFor,
} from '../../contracts/job.js';
import type { Watch } from '../observing.js';
import type { Linked } from './line.js';
import type { Timed } from './timetable.js';

/** Most jobs have neither, and millions may wait. */
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
const NO_RUNS: readonly RunRecord[] = Object.freeze([]);

/**
 * A job in memory. What comes in and goes out is copied, as if it were written and read.
 *
 * It stands in the timetable of delayed jobs until it is due, in that of ended ones until it is forgotten, and `at` is
 * that instant; else in the line that its state and rules send it to.
 */
export interface EmbeddedJob
  extends Pick<NewJob, 'id' | 'queue' | 'task' | 'args' | 'enqueuedAt'>, Linked<EmbeddedJob>, Timed {
  readonly options: JobOptions;
  readonly metadata: Readonly<Record<string, string>>;
  /** Never changed, but replaced. */
  rules: JobRules | undefined;
  state: KnownState;
  finishedAt: number;
  /** Oldest first; absent before the first one. */
  runs: RunRecord[] | undefined;
  /** The run that keeps a worker's place, also after its outcome. */
  run: ActiveRun | undefined;
  /** Runs since the job was enqueued or started afresh. */
  starts: number;
  attemptsMade: number;
  progress: string | undefined;
  logs: string[] | undefined;
  result: string | undefined;
  error: JobError | undefined;
  watches: Set<Watch> | undefined;
}

export function toEmbeddedJob(job: NewJob): EmbeddedJob {
  return {
    id: job.id,
    queue: job.queue,
    task: job.task,
    args: job.args,
    enqueuedAt: job.enqueuedAt,
    options: copyOptions(job.options),
    metadata: job.metadata ? { ...job.metadata } : NO_METADATA,
    rules: job.rules && copyRules(job.rules),
    state: 'waiting',
    line: undefined,
    order: 0,
    next: undefined,
    previous: undefined,
    at: 0,
    place: -1,
    finishedAt: 0,
    runs: undefined,
    run: undefined,
    starts: 0,
    attemptsMade: 0,
    progress: undefined,
    logs: undefined,
    result: undefined,
    error: undefined,
    watches: undefined,
  };
}

/** The job for its latest run, of which it need not be told. */
export function toActiveJob(job: EmbeddedJob): ActiveJob {
  const active: ActiveJob = {
    id: job.id,
    queue: job.queue,
    task: job.task,
    args: job.args,
    options: job.options,
    metadata: job.metadata === NO_METADATA ? NO_METADATA : { ...job.metadata },
    enqueuedAt: job.enqueuedAt,
    attemptsMade: job.attemptsMade,
    crashes: 0,
    runs: job.runs && job.runs.length > 1 ? job.runs.slice(0, -1).map(copyRun) : NO_RUNS,
  };
  if (job.rules) active.rules = copyRules(job.rules);
  return active;
}

export function toJobRecord(job: EmbeddedJob, waitingFor: WaitingFor | undefined): JobRecord {
  const record: JobRecord = {
    id: job.id,
    queue: job.queue,
    task: job.task,
    state: job.state,
    args: job.args,
    options: copyOptions(job.options),
    metadata: { ...job.metadata },
    enqueuedAt: job.enqueuedAt,
    runs: (job.runs ?? NO_RUNS).slice(-RUNS_KEPT).map(copyRun),
    attemptsMade: job.attemptsMade,
    crashes: 0,
    logs: [...(job.logs ?? [])],
  };
  const latestRun = job.runs?.at(-1);
  if (job.rules && Object.keys(job.rules).length > 0) record.rules = copyRules(job.rules);
  if (waitingFor) record.waitingFor = waitingFor;
  if (job.state === 'delayed') record.dueAt = job.at;
  if (latestRun) record.startedAt = latestRun.startedAt;
  if (job.finishedAt > 0) record.finishedAt = job.finishedAt;
  if (job.progress !== undefined) record.progress = job.progress;
  if (job.result !== undefined) record.result = job.result;
  if (job.error) record.error = { ...job.error };
  return record;
}

/** Puts the beginning of a run on record. */
export function beginRun(job: EmbeddedJob, startedAt: number, worker: string): void {
  const run = { attempt: job.attemptsMade + 1, startedAt, worker };
  if (job.runs) job.runs.push(run);
  else job.runs = [run];
}

/** Puts the end of the latest run on record. */
export function endRun(job: EmbeddedJob, endedAt: number, outcome: RunOutcome, error?: JobError): void {
  const runs = job.runs as RunRecord[];
  const run = runs[runs.length - 1];
  run.endedAt = endedAt;
  run.outcome = outcome;
  if (error) run.error = { ...error };
  if (runs.length > RUNS_KEPT) runs.shift();
}

/** Makes an ended job one that has not run; its earlier runs stay on record. */
export function startAfresh(job: EmbeddedJob): void {
  job.attemptsMade = 0;
  job.starts = 0;
  job.finishedAt = 0;
  job.error = undefined;
  job.result = undefined;
  if (job.rules) {
    const { expiresAt: _expiresAt, ...rules } = job.rules;
    job.rules = rules;
  }
}

export function copyRules(rules: JobRules): JobRules {
  const copy = { ...rules };
  if (rules.unique) copy.unique = { ...rules.unique };
  if (rules.concurrency) copy.concurrency = { ...rules.concurrency };
  if (rules.rate) copy.rate = { ...rules.rate };
  if (rules.tags) copy.tags = [...rules.tags];
  if (rules.schedule) copy.schedule = { ...rules.schedule };
  return copy;
}

function copyOptions(options: JobOptions): JobOptions {
  return options.backoff ? { ...options, backoff: { ...options.backoff } } : { ...options };
}

function copyRun(run: RunRecord): RunRecord {
  return run.error ? { ...run, error: { ...run.error } } : { ...run };
}
