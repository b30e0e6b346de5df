import { checkOptions, expectThat, type Check } from '../contracts/checks.js';
import type { Engine, JobQuery, KnownState } from '../contracts/engine.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { JobAddress, JobRecord } from '../contracts/job.js';
import type { TasksSettings } from '../contracts/settings.js';
import { queuesOf } from './declared-queue.js';
import { checkFilter, matches, type BulkOptions, type JobFilter } from './job-filter.js';

/** Jobs that are acted on in one step. */
export const BATCH_SIZE = 100;

/** In these states a job may go on to another one by itself. */
const MOVING: readonly KnownState[] = ['waiting', 'delayed', 'active'];

/** Jobs read at once while those that match are looked for. */
const PAGE_SIZE = 250;

const BULK_CHECKS: Readonly<Record<keyof BulkOptions, Check>> = {
  onProgress: (value, where) =>
    expectThat(typeof value === 'function', where, value, 'a function that takes { done, total }'),
  signal: (value, where) =>
    expectThat(value instanceof AbortSignal, where, value, `an AbortSignal, such as an AbortController's`),
};

/** Something that can be done to jobs. */
export interface BulkAction {
  /** For messages, e.g. `retry()`. */
  where: string;
  /** The states of jobs that it can be done to. */
  states: readonly KnownState[];
  /** A queue whose jobs are left out. */
  except?: string;
  /** True per job that it was done to. */
  act: (jobs: readonly JobAddress[]) => Promise<readonly boolean[]>;
}

/**
 * Does something to one job by its id, or to all that match a filter; answers to how many it was done.
 *
 * The jobs that match are looked up before the first is acted on, so that a job that comes to match meanwhile, such as
 * one that fails again, is not met a second time. What waits or runs may go on meanwhile, so it is looked for again
 * until nothing is found. Done twice it does no more than done once.
 *
 * @param what an id, in whatever queue, or a filter
 * @throws InvalidOptionsError for an empty filter, an unknown field, and a state on which the call cannot act
 * @throws UnknownQueueError for a queue that is not declared
 * @throws the reason of `signal`, between two batches
 */
export async function actOn(
  engine: Engine,
  settings: Pick<TasksSettings, 'queues'>,
  what: string | JobFilter,
  action: BulkAction,
  options: BulkOptions = {},
): Promise<number> {
  const { where, except } = action;
  checkOptions(options, BULK_CHECKS, where);
  if (typeof what === 'string') return actOnAll([addressOf(what, where)], action, options);
  const states = checkFilter(what, action.states, where);
  const queues = queuesOf(settings, what.queue, where).filter((queue) => queue !== except);
  const since = Date.now();
  const met = new Set<string>();
  const isNew = ({ queue, id }: JobRecord): boolean => met.size < met.add(`${queue} ${id}`).size;
  let jobs = await find(engine, queues, what, states, options, isNew);
  let acted = await actOnAll(jobs, action, options);
  // Jobs that went on to another state or place while they were looked for may have been missed.
  const moving = states.filter((state) => MOVING.includes(state));
  while (jobs.length > 0 && moving.length > 0) {
    jobs = await find(engine, queues, what, moving, options, (job) => job.enqueuedAt <= since && isNew(job));
    acted += await actOnAll(jobs, action, options);
  }
  return acted;
}

async function actOnAll(
  jobs: readonly JobAddress[],
  { act }: BulkAction,
  { onProgress, signal }: BulkOptions,
): Promise<number> {
  let acted = 0;
  for (let done = 0; done < jobs.length;) {
    signal?.throwIfAborted();
    const batch = jobs.slice(done, done + BATCH_SIZE);
    const answers = await act(batch);
    acted += answers.filter(Boolean).length;
    done += batch.length;
    onProgress?.({ done, total: jobs.length });
  }
  return acted;
}

/** The jobs that match. With a tag the engine knows them all; without, each state is read by itself. */
async function find(
  engine: Engine,
  queues: readonly string[],
  filter: JobFilter,
  states: readonly KnownState[],
  { signal }: BulkOptions,
  isWanted: (job: JobRecord) => boolean,
): Promise<JobAddress[]> {
  const { tag } = filter;
  const jobs: JobAddress[] = [];
  for (const queue of queues) {
    const queries: Omit<JobQuery, 'limit'>[] =
      tag === undefined ? states.map((state) => ({ queue, state })) : [{ queue, tag }];
    for (const query of queries) {
      let cursor: string | undefined;
      do {
        signal?.throwIfAborted();
        const page = await engine.list({ ...query, cursor, limit: PAGE_SIZE });
        for (const job of page.jobs) {
          if (states.includes(job.state) && matches(job, filter) && isWanted(job)) jobs.push({ id: job.id, queue });
        }
        cursor = page.cursor;
      } while (cursor !== undefined);
    }
  }
  return jobs;
}

function addressOf(id: string, where: string): JobAddress {
  if (id !== '') return { id };
  throw new InvalidOptionsError(`${where} got an empty id. Give a job's id, or a filter such as { state: 'failed' }.`);
}
