import { isRecord } from '../contracts/checks.js';
import type { Engine, KnownState } from '../contracts/engine.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { JobRecord } from '../contracts/job.js';
import { hasOwnConditions, matches, type JobFilter } from './job-filter.js';

/** Most jobs that one call looks at, so that a filter that matches little does not read a whole queue at once. */
export const MOST_SCANNED = 10_000;

/** Jobs read at once where not each of them will match. */
const PAGE_SIZE = 250;

/** Where the next page begins. */
interface Position {
  queue: string;
  /** Of the engine; absent: the queue's first page. */
  cursor?: string;
  /** Jobs of the engine's page that were answered before. */
  skip: number;
}

/** One page of the jobs that match, the queues one after the other. */
export interface RecordPage {
  records: readonly JobRecord[];
  /** Absent: there are no more. */
  cursor?: string;
}

/**
 * Reads one page of the jobs that match a checked filter.
 *
 * @param queues to look in, in this order
 * @throws InvalidOptionsError for a cursor that is not one of this list's
 */
export async function listJobs(
  engine: Engine,
  filter: JobFilter,
  queues: readonly string[],
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<RecordPage> {
  const { tag } = filter;
  const state = filter.state as KnownState | undefined;
  const isSelective = hasOwnConditions(filter);
  const records: JobRecord[] = [];
  let scanned = 0;
  let position: Position | undefined = cursor === undefined ? firstOf(queues[0]) : readPosition(cursor, queues);
  while (position && records.length < limit && scanned < MOST_SCANNED) {
    const { queue, skip }: Position = position;
    const missing = limit - records.length;
    const size = Math.min(isSelective ? Math.max(PAGE_SIZE, missing) : missing, MOST_SCANNED - scanned);
    const page = await engine.list({ queue, state, tag, cursor: position.cursor, limit: skip + size });
    const rest: readonly JobRecord[] = page.jobs.slice(skip);
    const taken = take(rest, filter, missing, records);
    // An empty page counts too, so that a call ends in any case.
    scanned += Math.max(1, taken);
    position = taken < rest.length ? { ...position, skip: skip + taken } : following(queue, page.cursor, queues);
  }
  return { records, cursor: position && writePosition(position) };
}

/** Adds what matches, up to `most`; answers how many were looked at. */
function take(jobs: readonly JobRecord[], filter: JobFilter, most: number, records: JobRecord[]): number {
  const full = records.length + most;
  for (const [index, job] of jobs.entries()) {
    if (records.length === full) return index;
    if (matches(job, filter)) records.push(job);
  }
  return jobs.length;
}

function following(queue: string, cursor: string | undefined, queues: readonly string[]): Position | undefined {
  return cursor === undefined ? firstOf(queues[queues.indexOf(queue) + 1]) : { queue, cursor, skip: 0 };
}

function firstOf(queue: string | undefined): Position | undefined {
  return queue === undefined ? undefined : { queue, skip: 0 };
}

function writePosition(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function readPosition(cursor: string, queues: readonly string[]): Position {
  const position = parse(cursor);
  if (position && queues.includes(position.queue)) return position;
  throw new InvalidOptionsError(
    'cursor of list() is not one that list() answered for this filter. ' +
      'Pass the cursor of the page before as it is, with the same filter; leave it out for the first page.',
  );
}

function parse(text: string): Position | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { queue, cursor, skip } = value;
  const fits =
    typeof queue === 'string' &&
    (cursor === undefined || typeof cursor === 'string') &&
    Number.isSafeInteger(skip) &&
    (skip as number) >= 0;
  return fits ? (value as unknown as Position) : undefined;
}
