import type { JobQuery, KnownState } from '../../contracts/engine.js';
import { InvalidOptionsError } from '../../contracts/errors.js';
import type { EmbeddedJob } from './embedded-job.js';
import { isEnded } from './ended-jobs.js';

/** Where a list finds its jobs. */
export interface ListedJobs {
  /** In the order of the list. */
  inState(state: KnownState): Iterable<EmbeddedJob>;
  /** In no order. */
  tagged(tag: string): Iterable<EmbeddedJob>;
}

/** A job's place in the list of its state: by the first number, then by the second. */
type Rank = readonly [number, number];

interface Position {
  state: KnownState;
  rank: Rank;
}

const STATES: readonly KnownState[] = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'expired'];

/** One page of a list, which goes on after the last job of the page before, whatever has become of that job. */
export function listJobs(
  source: ListedJobs,
  { state, tag, cursor, limit }: JobQuery,
): { jobs: EmbeddedJob[]; cursor?: string } {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const states = state === undefined ? STATES.slice(after ? STATES.indexOf(after.state) : 0) : [state];
  const jobs: EmbeddedJob[] = [];
  for (const listed of states) {
    const found =
      tag === undefined
        ? source.inState(listed)
        : inOrder([...source.tagged(tag)].filter((job) => job.state === listed));
    for (const job of found) {
      if (after?.state === listed && compare(rankOf(job), after.rank) <= 0) continue;
      if (jobs.length >= Math.max(limit, 1)) return { jobs, cursor: writeCursor(jobs[jobs.length - 1]) };
      jobs.push(job);
    }
  }
  return { jobs };
}

/** Puts jobs of one state into the order of their list. */
export function inOrder(jobs: Iterable<EmbeddedJob>): EmbeddedJob[] {
  return [...jobs].toSorted((a, b) => compare(rankOf(a), rankOf(b)));
}

function rankOf(job: EmbeddedJob): Rank {
  if (job.state === 'delayed') return [job.at, job.order];
  return isEnded(job.state) ? [0, -job.order] : [job.line!.rank, job.order];
}

function compare(a: Rank, b: Rank): number {
  return a[0] - b[0] || a[1] - b[1];
}

function writeCursor(job: EmbeddedJob): string {
  return [job.state, ...rankOf(job)].join(' ');
}

function readCursor(cursor: string): Position {
  const [name, ...numbers] = cursor.split(' ');
  const state = STATES.find((one) => one === name);
  const rank = numbers.map(Number);
  if (state && rank.length === 2 && rank.every(Number.isFinite)) return { state, rank: [rank[0], rank[1]] };
  throw new InvalidOptionsError(
    `list() of the embedded engine cannot read the cursor '${cursor}'. Give it the cursor of the page before, or none.`,
  );
}
