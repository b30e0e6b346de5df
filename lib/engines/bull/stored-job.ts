import type { ActiveJob, NewJob } from '../../contracts/engine.js';
import { RUNS_KEPT } from '../../contracts/engine.js';
import type { JobError, JobOptions, JobRecord, JobRules, RunRecord, StoredBackoff } from '../../contracts/job.js';
import type { ScriptArgument } from './scripts.js';

/**
 * How a job is written in Bull's hash, and read again from anything that may stand there.
 *
 * `data` is the list of arguments; `opts.spread` says so. In a job of a plain Bull producer, which has no such mark,
 * `data` is the one argument. `opts` stays short: below 64 bytes Redis packs the whole hash tightly.
 */
export function toScriptArguments(job: NewJob): ScriptArgument[] {
  const dueAt = job.dueAt !== undefined && job.dueAt > job.enqueuedAt ? job.dueAt : 0;
  return [
    job.id,
    job.task,
    job.args,
    JSON.stringify({ spread: 1, ...job.options }),
    job.enqueuedAt,
    dueAt === 0 ? 0 : dueAt - job.enqueuedAt,
    dueAt,
    job.metadata ? JSON.stringify(job.metadata) : '',
    job.rules ? JSON.stringify(job.rules) : '',
  ];
}

/** The values that `take.lua` answers per job: the id, four fields, and the rest. */
export const TAKEN_FIELDS = 6;

/** A value that `take.lua` answers; a list only as the last one of a job. */
export type TakenValue = string | null | readonly (string | null)[];

/** A taken job, with what Bull's tools know of it. */
export interface TakenJob {
  job: ActiveJob;
  /** As they stand in the hash. */
  data: string;
  opts: string;
  /** Id of its debounce key; '' : none. */
  debounce: string;
  /** As they stand in the hash; '' : none. */
  rules: string;
}

/** Reads one job out of the flat list that `take.lua` answers. */
export function readTakenJob(queue: string, values: readonly TakenValue[], at: number): TakenJob {
  const data = readText(values[at + 2]);
  const opts = readText(values[at + 3]);
  const { options, isSpread } = readOptions(opts);
  const job: ActiveJob = {
    id: readText(values[at]),
    queue,
    task: readText(values[at + 1]),
    args: isSpread ? data : `[${data || 'null'}]`,
    options,
    metadata: NO_METADATA,
    enqueuedAt: readCount(readText(values[at + 4])),
    attemptsMade: 0,
    crashes: 0,
    runs: NO_RUNS,
  };
  const rest = values[at + 5];
  if (rest === null || typeof rest === 'string') return { job, data, opts, debounce: '', rules: '' };
  const [attemptsMade, crashes, runs, metadata, debounce, rules] = rest;
  job.attemptsMade = readCount(attemptsMade);
  job.crashes = readCount(crashes);
  job.runs = readRuns(runs);
  job.metadata = readMetadata(metadata);
  if (rules) job.rules = readRules(rules);
  return { job, data, opts, debounce: debounce ?? '', rules: rules ?? '' };
}

function readText(value: TakenValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Reads a whole hash; what cannot be read is left out, never thrown. */
export function readJobRecord(
  queue: string,
  id: string,
  state: JobRecord['state'],
  hash: Readonly<Record<string, string>>,
): JobRecord {
  const { options, isSpread } = readOptions(hash.opts);
  const runs = readRuns(hash.runs);
  // A declined run has left the start time of a run that never began.
  const isRunning = state === 'active';
  const startedAt = isRunning || hash.finishedOn ? readTime(hash.processedOn) : runs.at(-1)?.startedAt;
  const record: JobRecord = {
    id,
    queue,
    task: hash.name,
    state,
    args: isSpread ? (hash.data ?? '') : `[${hash.data || 'null'}]`,
    options,
    metadata: readMetadata(hash.metadata),
    enqueuedAt: readTime(hash.timestamp) ?? 0,
    runs,
    attemptsMade: readCount(hash.attemptsMade),
    crashes: readCount(hash.stalledCounter),
    logs: [],
  };
  if (hash.rules) record.rules = readRules(hash.rules);
  if (startedAt !== undefined) record.startedAt = startedAt;
  if (isRunning && startedAt !== undefined && hash.worker) {
    record.runs = [...runs, { attempt: record.attemptsMade + 1, startedAt, worker: hash.worker }];
  }
  const finishedAt = readTime(hash.finishedOn);
  if (finishedAt !== undefined) record.finishedAt = finishedAt;
  if (hash.progress !== undefined) record.progress = hash.progress;
  if (hash.returnvalue !== undefined) record.result = hash.returnvalue;
  if (state === 'failed') record.error = readError(hash.failedReason, runs);
  return record;
}

/** The rules of a job; undefined where they cannot be read. */
function readRules(text: string): JobRules | undefined {
  const rules = readJson<JobRules>(text);
  if (rules?.tags !== undefined && !Array.isArray(rules.tags)) return { ...rules, tags: undefined };
  return rules;
}

/** The stored form of a list of runs: JSON objects with commas between, so that a script can append one. */
export function writeRuns(runs: readonly RunRecord[]): string {
  return JSON.stringify(runs.slice(-RUNS_KEPT)).slice(1, -1);
}

export function readRuns(text: string | null | undefined): RunRecord[] {
  return text ? (readJson<unknown[]>(`[${text}]`) ?? []).filter(isRun) : [];
}

function isRun(value: unknown): value is RunRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readCount(text: string | null | undefined): number {
  const count = Number(text);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** The error of the last run, which is more than the reason that Bull keeps. */
export function readError(reason: string | null | undefined, runs: readonly RunRecord[]): JobError {
  return runs.at(-1)?.error ?? { name: 'Error', message: reason ?? 'Unknown reason' };
}

/** Jobs of one task mostly have the same options, so that their text is read once. */
const optionsRead = new Map<string, { options: JobOptions; isSpread: boolean }>();

function readOptions(text: string | null | undefined): { options: JobOptions; isSpread: boolean } {
  const key = text ?? '';
  const known = optionsRead.get(key);
  if (known) return known;
  const stored = readJson<Record<string, unknown>>(key) ?? {};
  const { spread, ...options } = stored;
  const isSpread = spread === 1;
  const read = { options: isSpread ? (options as JobOptions) : readForeignOptions(stored), isSpread };
  if (optionsRead.size >= 1_000) optionsRead.clear();
  optionsRead.set(key, read);
  return read;
}

/** What a plain Bull producer set, in our words; anything that makes no sense is left to the task. */
function readForeignOptions(stored: Readonly<Record<string, unknown>>): JobOptions {
  const options: JobOptions = {};
  const { attempts, timeout, backoff } = stored;
  // Bull writes `attempts: 1` where its producer said nothing, so 1 is not taken for a wish.
  if (typeof attempts === 'number' && attempts > 1) options.attempts = attempts;
  if (typeof timeout === 'number' && timeout > 0) options.timeout = timeout;
  const read = readForeignBackoff(backoff);
  if (read) options.backoff = read;
  if (stored.removeOnComplete === true) options.keepResult = 0;
  return options;
}

function readForeignBackoff(backoff: unknown): StoredBackoff | undefined {
  if (typeof backoff !== 'object' || backoff === null) return undefined;
  const { type, delay } = backoff as { type?: unknown; delay?: unknown };
  if (typeof delay !== 'number' || (type !== 'fixed' && type !== 'exponential')) return undefined;
  return { type, delay, factor: 2, max: Number.MAX_SAFE_INTEGER, jitter: 0 };
}

function readMetadata(text: string | null | undefined): Readonly<Record<string, string>> {
  return text ? (readJson<Record<string, string>>(text) ?? NO_METADATA) : NO_METADATA;
}

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
const NO_RUNS: readonly RunRecord[] = Object.freeze([]);

function readTime(text: string | undefined): number | undefined {
  const time = Number(text);
  return text && Number.isFinite(time) ? time : undefined;
}

function readJson<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
