import type { FailedJob, JobError, JobInfo, JobRecord } from '../contracts/job.js';
import { redactArguments, type Redact } from '../contracts/redaction.js';
import { readArguments, readJson, toDate, toRun } from '../contracts/job-view.js';

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
    priority: record.rules?.priority ?? 'normal',
    tags: record.rules?.tags ?? [],
    metadata: record.metadata,
    ...(record.rules?.schedule && { schedule: record.rules.schedule.name, tick: toDate(record.rules.schedule.tick) }),
  };
}

/** A failed job as an error shows it: its arguments are redacted. */
export function toFailedJob(record: JobRecord, error: JobError, redact: Redact | undefined): FailedJob {
  return {
    id: record.id,
    task: record.task,
    args: redactArguments(redact, readArguments(record.args)),
    error: record.error ?? error,
    runs: record.runs.map(toRun),
  };
}
