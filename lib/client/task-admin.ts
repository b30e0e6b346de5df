import { checkOptions, expectThat, isText } from '../contracts/checks.js';
import type { Engine, KnownState } from '../contracts/engine.js';
import type { JobInfo } from '../contracts/job.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { TaskRegistry } from '../discovery/task-definition.js';
import { actOn, type BulkAction } from './bulk.js';
import { declaredQueue, queuesOf } from './declared-queue.js';
import { FILTER_CHECKS, KNOWN_STATES, type BulkOptions, type JobFilter } from './job-filter.js';
import { toJobInfo } from './job-info.js';
import { listJobs } from './job-list.js';

/** One page of `TaskAdmin.list()`. */
export interface JobList {
  jobs: readonly JobInfo[];
  /** To be passed for the next page; absent: there are no more jobs. */
  cursor?: string;
}

const DEFAULT_LIMIT = 50;
const HIGHEST_LIMIT = 1_000;

/** Ended, and not for good. */
const RETRYABLE: readonly KnownState[] = ['failed', 'cancelled', 'expired'];
const REMOVABLE = KNOWN_STATES.filter((state) => state !== 'active');
const MOVABLE = REMOVABLE.filter((state) => state !== 'completed');

const LIST_CHECKS: Parameters<typeof checkOptions>[1] = {
  ...FILTER_CHECKS,
  cursor: (value, where) => expectThat(isText(value), where, value, 'the cursor of the page before'),
  limit: (value, where) => {
    const fits = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= HIGHEST_LIMIT;
    expectThat(fits, where, value, `a whole number from 1 to ${HIGHEST_LIMIT}`);
  },
};

/**
 * Looks into the queues and puts things right: counts, lists, retries, removes and moves jobs, one or many.
 *
 * @example
 * ```ts
 * constructor(private readonly admin: TaskAdmin) {}
 *
 * await this.admin.retry({ state: 'failed', task: 'MailTasks.sendEmail', text: 'ECONNREFUSED' });
 * ```
 */
export class TaskAdmin {
  constructor(
    private readonly engine: Engine,
    private readonly registry: () => TaskRegistry,
    private readonly settings: TasksSettings,
  ) {}

  /**
   * How many jobs are in each state, of one queue or of all declared ones.
   *
   * @throws UnknownQueueError for a queue that is not declared
   */
  async counts(queue?: string): Promise<Record<KnownState, number>> {
    const queues = queuesOf(this.settings, queue, 'counts()');
    const counts = await Promise.all(queues.map((one) => this.engine.counts(one)));
    const sums = KNOWN_STATES.map((state) => [state, counts.reduce((sum, count) => sum + count[state], 0)]);
    return Object.fromEntries(sums) as Record<KnownState, number>;
  }

  /**
   * One page of the jobs that match, the queues one after the other: what waits in the order it will start, ended jobs
   * the latest first. A call looks at 10,000 jobs at most, so a page may have fewer than `limit` and yet not be the last.
   *
   * @param filter and `limit` (50, at most 1,000) and the `cursor` of the page before; absent: every job
   * @throws InvalidOptionsError, UnknownQueueError
   */
  async list(filter: JobFilter & { cursor?: string; limit?: number } = {}): Promise<JobList> {
    checkOptions(filter, LIST_CHECKS, 'list()');
    const { queue, cursor, limit = DEFAULT_LIMIT } = filter;
    const queues = queuesOf(this.settings, queue, 'list()');
    const page = await listJobs(this.engine, filter, queues, { cursor, limit });
    const jobs = page.records.map((record) => toJobInfo(record, this.attemptsOf(record.task)));
    return page.cursor === undefined ? { jobs } : { jobs, cursor: page.cursor };
  }

  /**
   * Starts failed, cancelled and expired jobs afresh, with all their attempts and without expiry.
   *
   * @param what an id, or a filter that is not empty
   * @returns how many wait now; a job whose unique key another one has is not among them
   * @throws InvalidOptionsError, UnknownQueueError, or the reason of `signal`
   */
  async retry(what: string | JobFilter, options?: BulkOptions): Promise<number> {
    return this.act(what, { where: 'retry()', states: RETRYABLE, act: (jobs) => this.engine.retry(jobs) }, options);
  }

  /**
   * Forgets jobs, with all that is known of them. Running ones stay; cancel them first.
   *
   * @param what an id, or a filter that is not empty
   * @returns how many are gone
   * @throws InvalidOptionsError, UnknownQueueError, or the reason of `signal`
   */
  async remove(what: string | JobFilter, options?: BulkOptions): Promise<number> {
    return this.act(what, { where: 'remove()', states: REMOVABLE, act: (jobs) => this.engine.remove(jobs) }, options);
  }

  /**
   * Takes jobs to another queue, where they wait as before; failed, cancelled and expired ones start afresh there.
   * Running and completed ones stay, and so does a job whose id the other queue knows.
   *
   * @param what an id, or a filter that is not empty
   * @returns how many are in the other queue now
   * @throws InvalidOptionsError, UnknownQueueError, or the reason of `signal`
   */
  async move(what: string | JobFilter, toQueue: string, options?: BulkOptions): Promise<number> {
    const to = declaredQueue(this.settings, toQueue, 'move()');
    const act: BulkAction['act'] = (jobs) => this.engine.move(jobs, to);
    return this.act(what, { where: 'move()', states: MOVABLE, except: to, act }, options);
  }

  private act(what: string | JobFilter, action: BulkAction, options: BulkOptions | undefined): Promise<number> {
    return actOn(this.engine, this.settings, what, action, options);
  }

  private attemptsOf(task: string): number {
    return this.registry().get(task)?.options.attempts ?? this.settings.defaults.attempts;
  }
}
