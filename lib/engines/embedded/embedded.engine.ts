import { systemClock, type Clock } from '../../contracts/clock.js';
import {
  LOG_LINES,
  type Engine,
  type EnqueuedJob,
  type EngineWorker,
  type JobObserver,
  type JobPage,
  type JobQuery,
  type KnownState,
  type NewJob,
  type PauseScope,
  type StartRun,
  type WorkOptions,
} from '../../contracts/engine.js';
import { EngineUnavailableError, UnknownQueueError } from '../../contracts/errors.js';
import type { JobAddress, JobRecord, JobState } from '../../contracts/job.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import { suggest } from '../../contracts/suggestion.js';
import { settleSoon } from '../observing.js';
import { refuseDuplicates } from './duplicates.js';
import { toJobRecord, type EmbeddedJob } from './embedded-job.js';
import { EmbeddedQueue } from './embedded-queue.js';
import { EmbeddedSchedules } from './embedded-schedules.js';
import { EmbeddedWorker } from './embedded-worker.js';
import { listJobs } from './job-listing.js';
import { settlementOf, tellProgress, watch } from './watches.js';

/** 7 days. */
const KEEP_STOPPED: FailedRetention = { age: 7 * 24 * 60 * 60 * 1_000, count: 10_000 };

export interface EmbeddedEngineOptions {
  /** Every declared queue. */
  queues: Iterable<string>;
  /**
   * How long (milliseconds) and how many cancelled jobs of a queue are kept, and as many expired ones. An age or count
   * of 0: nothing is kept. @default 7 days, 10,000
   */
  keepStopped?: FailedRetention;
  /** @default the time of the machine */
  clock?: Clock;
}

interface FoundJob {
  queue: EmbeddedQueue;
  job: EmbeddedJob;
}

/** Keeps jobs in the memory of this process: no server, and nothing left when the process ends. */
export class EmbeddedEngine implements Engine {
  readonly name = 'embedded';
  readonly schedules: EmbeddedSchedules;

  private readonly queues = new Map<string, EmbeddedQueue>();
  private readonly workers = new Set<EmbeddedWorker>();
  private isClosed = false;

  private readonly clock: Clock;

  constructor({ queues, keepStopped = KEEP_STOPPED, clock = systemClock }: EmbeddedEngineOptions) {
    this.clock = clock;
    this.schedules = new EmbeddedSchedules(clock, (queue) => {
      this.expectOpen();
      return this.declaredQueue(queue);
    });
    for (const queue of queues) this.queues.set(queue, new EmbeddedQueue(queue, { clock, keepStopped }));
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    if (this.isClosed) throw closedError(jobs.length === 1 ? jobs[0].id : undefined);
    const queues = jobs.map((job) => this.declaredQueue(job.queue));
    refuseDuplicates(jobs, queues, this.clock);
    return jobs.map((job, index) => queues[index].add(job));
  }

  work(queue: string, options: WorkOptions, start: StartRun): EngineWorker {
    this.expectOpen();
    const worker = new EmbeddedWorker(this.declaredQueue(queue), options, start);
    this.workers.add(worker);
    return worker;
  }

  /** A crash would end the jobs as well, so that none is ever handed over unbegun. */
  async begin(address: JobAddress): Promise<boolean> {
    this.expectOpen();
    return this.lookUp(address)?.job.state === 'active';
  }

  async find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    this.expectOpen();
    return jobs.map((address) => {
      const found = this.lookUp(address);
      return found && toJobRecord(found.job, found.queue.waitingFor(found.job));
    });
  }

  async state(address: JobAddress): Promise<JobState> {
    this.expectOpen();
    return this.lookUp(address)?.job.state ?? 'unknown';
  }

  watch(address: JobAddress, observer: JobObserver): () => void {
    if (this.isClosed) return settleSoon(observer, { state: 'lost', error: closedError() });
    const found = this.lookUp(address);
    if (!found) return settleSoon(observer, { state: 'unknown' });
    const settlement = settlementOf(found.job);
    return settlement ? settleSoon(observer, settlement) : watch(found.job, observer);
  }

  async progress(address: JobAddress, value: string): Promise<void> {
    this.expectOpen();
    const job = this.lookUp(address)?.job;
    if (!job) return;
    job.progress = value;
    tellProgress(job, value);
  }

  async log(address: JobAddress, line: string): Promise<void> {
    this.expectOpen();
    const job = this.lookUp(address)?.job;
    if (!job) return;
    const logs = (job.logs ??= []);
    logs.push(line);
    if (logs.length > LOG_LINES) logs.shift();
  }

  async counts(queue: string): Promise<Record<KnownState, number>> {
    this.expectOpen();
    return this.declaredQueue(queue).states.counts();
  }

  async list(query: JobQuery): Promise<JobPage> {
    this.expectOpen();
    const queue = this.declaredQueue(query.queue);
    queue.states.sweep();
    const { jobs, cursor } = listJobs(queue.states, query);
    const records = jobs.map((job) => toJobRecord(job, queue.waitingFor(job)));
    return cursor === undefined ? { jobs: records } : { jobs: records, cursor };
  }

  async cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.steer(jobs, ({ queue, job }) => queue.cancel(job));
  }

  async retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.steer(jobs, ({ queue, job }) => queue.retry(job));
  }

  async remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.steer(jobs, ({ queue, job }) => queue.remove(job));
  }

  async move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]> {
    this.expectOpen();
    const target = this.declaredQueue(toQueue);
    return this.steer(jobs, ({ queue, job }) => queue.move(job, target));
  }

  async pause(queue: string, scope: PauseScope): Promise<void> {
    this.expectOpen();
    this.declaredQueue(queue).pause(scope);
  }

  async resume(queue: string, scope: PauseScope): Promise<void> {
    this.expectOpen();
    this.declaredQueue(queue).resume(scope);
  }

  async isPaused(queue: string): Promise<boolean> {
    this.expectOpen();
    return this.declaredQueue(queue).isPaused;
  }

  async problems(): Promise<readonly string[]> {
    return this.isClosed ? [closedError().message] : [];
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const worker of this.workers) worker.takeNoMore();
    for (const queue of this.queues.values()) queue.states.close({ state: 'lost', error: closedError() });
  }

  private steer(jobs: readonly JobAddress[], step: (found: FoundJob) => boolean): readonly boolean[] {
    this.expectOpen();
    return jobs.map((address) => {
      const found = this.lookUp(address);
      return found !== undefined && step(found);
    });
  }

  private lookUp({ id, queue: name }: JobAddress): FoundJob | undefined {
    const queues = name === undefined ? this.queues.values() : [this.queues.get(name)];
    for (const queue of queues) {
      const job = queue?.states.find(id);
      if (queue && job) return { queue, job };
    }
    return undefined;
  }

  private declaredQueue(name: string): EmbeddedQueue {
    const queue = this.queues.get(name);
    if (queue) return queue;
    throw new UnknownQueueError(`Queue '${name}' is not declared. ${suggest(name, [...this.queues.keys()])}`);
  }

  private expectOpen(): void {
    if (this.isClosed) throw closedError();
  }
}

function closedError(jobId?: string): EngineUnavailableError {
  return new EngineUnavailableError('The embedded engine is closed.', { sent: false, jobId });
}
