import { RUNS_KEPT } from '../../contracts/engine.js';
import type { JobError, RunRecord } from '../../contracts/job.js';
import { isNumber, isRecord, isText, readJson } from './stored-json.js';

export const NO_RUNS: readonly RunRecord[] = Object.freeze([]);

/** The stored form of a list of runs: JSON objects with commas between, so that a script can append one. */
export function writeRuns(runs: readonly RunRecord[]): string {
  return JSON.stringify(runs.slice(-RUNS_KEPT)).slice(1, -1);
}

/** What is no record of a run is left out, and what is no error counts as none. */
export function readRuns(text: string | null | undefined): readonly RunRecord[] {
  if (!text) return NO_RUNS;
  const stored = readJson<unknown[]>(`[${text}]`) ?? [];
  return stored.filter(isRun).map((run) => {
    if (run.error === undefined || isJobError(run.error)) return run;
    const { error: _broken, ...rest } = run;
    return rest;
  });
}

/** The error of the last run, which is more than the reason that Bull keeps. */
export function readError(reason: string | null | undefined, runs: readonly RunRecord[]): JobError {
  return runs.at(-1)?.error ?? { name: 'Error', message: isText(reason) ? reason : 'Unknown reason' };
}

export function isJobError(value: unknown): value is JobError {
  return isRecord(value) && isText(value.name) && isText(value.message) && isTextOrNone(value.stack);
}

function isRun(value: unknown): value is RunRecord {
  return (
    isRecord(value) &&
    isNumber(value.attempt) &&
    isNumber(value.startedAt) &&
    (value.endedAt === undefined || isNumber(value.endedAt)) &&
    isText(value.worker) &&
    isTextOrNone(value.outcome)
  );
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || isText(value);
}
