import type { FailedJob, JobError, JobInfo, JobRecord, Run, RunRecord } from '../contracts/job.js';

/**
 * Everything an engine knows of a job, as callers see it. Data that cannot be read stands there as text.
 *
 * @param attempts for a job that was stored without
 */
export function toJobInfo<R>(record: JobRecord, attempts: number): JobInfo<R> {
  return {
    id: record.id,
    task: record.task,
    queue: record.queue,
    state: record.state,
    args: readArguments(record.args),
    enqueuedAt: new Date(record.enqueuedAt),
    dueAt: toDate(record.dueAt),
    startedAt: toDate(record.startedAt),
    finishedAt: toDate(record.finishedAt),
    runs: record.runs.map(toRun),
    attempts: record.options.attempts ?? attempts,
    crashes: record.crashes,
    waitingFor: record.waitingFor,
    progress: readJson(record.progress),
    logs: record.logs,
    result: readJson(record.result) as R | undefined,
    error: record.error,
    metadata: record.metadata,
  };
}

export function toFailedJob(record: JobRecord, error: JobError): FailedJob {
  return {
    id: record.id,
    task: record.task,
    args: readArguments(record.args),
    error: record.error ?? error,
    runs: record.runs.map(toRun),
  };
}

/** The value of a JSON text, or the text itself where it is none. */
export function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function readArguments(text: string): readonly unknown[] {
  const args = text === '' ? [] : readJson(text);
  return Array.isArray(args) ? args : [args];
}

function toRun(run: RunRecord): Run {
  return { ...run, startedAt: new Date(run.startedAt), endedAt: toDate(run.endedAt) };
}

function toDate(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}
