import type { ActiveJob, NewJob } from '../../contracts/engine.js';
import type { JobOptions, JobRecord, JobRules, RunRecord } from '../../contracts/job.js';
import type { ScriptArgument } from './scripts.js';
import { isRecord, isText, readJson } from './stored-json.js';
import { readOptions } from './stored-options.js';
import { readRules } from './stored-rules.js';
import { NO_RUNS, readError, readRuns } from './stored-runs.js';

/**
 * How a job is written in Bull's hash, and read again from anything that may stand there.
 *
 * `data` is the list of arguments; `opts.spread` says so. In a job of a plain Bull producer, which has no such mark,
 * `data` is the one argument. `opts` stays short: below 64 bytes Redis packs the whole hash tightly.
 *
 * @returns the arguments of `add-jobs.lua`: jobs that follow each other and are alike share what they have in common
 */
export function toScriptArguments(base: string, jobs: readonly NewJob[]): ScriptArgument[] {
  const values: ScriptArgument[] = [];
  let alike: NewJob | undefined;
  let countAt = 0;
  for (const job of jobs) {
    if (!alike || !isLike(alike, job)) {
      values.push(base, ...toSharedArguments(job), 0);
      countAt = values.length - 1;
      alike = job;
    }
    (values[countAt] as number)++;
    values.push(job.id, job.args);
  }
  return values;
}

/** Whether jobs differ in nothing but id and data. */
function isLike(one: NewJob, other: NewJob): boolean {
  return (
    one.task === other.task &&
    one.enqueuedAt === other.enqueuedAt &&
    one.dueAt === other.dueAt &&
    haveSameValues(one.options, other.options) &&
    areWrittenAlike(one.metadata, other.metadata) &&
    areWrittenAlike(one.rules, other.rules)
  );
}

function areWrittenAlike(one: object | undefined, other: object | undefined): boolean {
  return one === other || (!!one && !!other && JSON.stringify(one) === JSON.stringify(other));
}

function haveSameValues(one: JobOptions, other: JobOptions): boolean {
  const names = Object.keys(one) as (keyof JobOptions)[];
  return (
    names.length === Object.keys(other).length && names.every((name) => name in other && one[name] === other[name])
  );
}

function toSharedArguments(job: NewJob): ScriptArgument[] {
  const dueAt = job.dueAt !== undefined && job.dueAt > job.enqueuedAt ? job.dueAt : 0;
  return [
    job.task,
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

/**
 * A taken job, with what Bull's tools know of it. A class, like all that is made per run: V8 may come to think that the
 * objects of a literal live long, and keeps them and all they hold until a full collection.
 */
export class TakenJob {
  constructor(
    readonly job: ActiveJob,
    /** As they stand in the hash. */
    readonly data: string,
    readonly opts: string,
    /** Id of its debounce key; '' : none. */
    readonly debounce = '',
    /** As they stand in the hash; '' : none. */
    readonly rules = '',
  ) {}
}

class ReadJob implements ActiveJob {
  attemptsMade = 0;
  crashes = 0;
  runs: readonly RunRecord[] = NO_RUNS;
  metadata = NO_METADATA;
  rules?: JobRules;

  constructor(
    readonly id: string,
    readonly queue: string,
    readonly task: string,
    readonly args: string,
    readonly options: JobOptions,
    readonly enqueuedAt: number,
  ) {}
}

/** Reads one job out of the flat list that `take.lua` answers. */
export function readTakenJob(queue: string, values: readonly TakenValue[], at: number): TakenJob {
  const data = readText(values[at + 2]);
  const opts = readText(values[at + 3]);
  const { options, isSpread } = readOptions(opts);
  const args = isSpread ? data : `[${data || 'null'}]`;
  const enqueuedAt = readCount(readText(values[at + 4]));
  const job = new ReadJob(readText(values[at]), queue, readText(values[at + 1]), args, options, enqueuedAt);
  const rest = values[at + 5];
  if (typeof rest === 'string' || !rest) return new TakenJob(job, data, opts);
  const [attemptsMade, crashes, runs, metadata, debounce, rules] = rest;
  job.attemptsMade = readCount(attemptsMade);
  job.crashes = readCount(crashes);
  job.runs = readRuns(runs);
  job.metadata = readMetadata(metadata);
  if (rules) job.rules = readRules(rules);
  return new TakenJob(job, data, opts, debounce ?? '', rules ?? '');
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
  // One that was taken and has not begun has an empty worker.
  const isRunning = state === 'active' && hash.worker !== '';
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

function readCount(text: string | null | undefined): number {
  const count = Number(text);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** A map of texts; whatever else stands there is left out. */
function readMetadata(text: string | null | undefined): Readonly<Record<string, string>> {
  const stored = text ? readJson<Record<string, unknown>>(text) : undefined;
  if (!isRecord(stored)) return NO_METADATA;
  const entries = Object.entries(stored);
  if (entries.every(([, value]) => isText(value))) return stored as Record<string, string>;
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => isText(entry[1])));
}

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

function readTime(text: string | undefined): number | undefined {
  const time = Number(text);
  return text && Number.isFinite(time) ? time : undefined;
}
