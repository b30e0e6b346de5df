import { RUNS_KEPT, type ActiveJob, type NewJob } from '../../contracts/engine.js';
import type { JobError, JobOptions, JobRecord, RunRecord } from '../../contracts/job.js';
import type { Watch } from '../observing.js';

/** Most jobs have neither, and millions may wait. */
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
const NO_RUNS: readonly RunRecord[] = Object.freeze([]);

/** A job in memory. What comes in and goes out is copied, as if it were written and read. */
export interface EmbeddedJob extends Pick<NewJob, 'id' | 'queue' | 'task' | 'args' | 'enqueuedAt'> {
  readonly options: JobOptions;
  readonly metadata: Readonly<Record<string, string>>;
  state: JobRecord['state'];
  /** Order among jobs that are due at the same instant. */
  sequence: number;
  dueAt: number;
  finishedAt: number;
  expiresAt: number;
  /** Oldest first; absent before the first one. */
  runs: RunRecord[] | undefined;
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
    state: 'waiting',
    sequence: 0,
    dueAt: 0,
    finishedAt: 0,
    expiresAt: Infinity,
    runs: undefined,
    attemptsMade: 0,
    progress: undefined,
    logs: undefined,
    result: undefined,
    error: undefined,
    watches: undefined,
  };
}

/** The job for its next run, before that run is on record. */
export function toActiveJob(job: EmbeddedJob): ActiveJob {
  return {
    id: job.id,
    queue: job.queue,
    task: job.task,
    args: job.args,
    options: job.options,
    metadata: job.metadata === NO_METADATA ? NO_METADATA : { ...job.metadata },
    enqueuedAt: job.enqueuedAt,
    attemptsMade: job.attemptsMade,
    crashes: 0,
    runs: job.runs ? job.runs.map(copyRun) : NO_RUNS,
  };
}

export function toJobRecord(job: EmbeddedJob): JobRecord {
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
  if (job.state === 'delayed') record.dueAt = job.dueAt;
  if (latestRun) record.startedAt = latestRun.startedAt;
  if (job.finishedAt > 0) record.finishedAt = job.finishedAt;
  if (job.progress !== undefined) record.progress = job.progress;
  if (job.result !== undefined) record.result = job.result;
  if (job.error) record.error = { ...job.error };
  return record;
}

function copyOptions(options: JobOptions): JobOptions {
  return options.backoff ? { ...options, backoff: { ...options.backoff } } : { ...options };
}

function copyRun(run: RunRecord): RunRecord {
  return run.error ? { ...run, error: { ...run.error } } : { ...run };
}
