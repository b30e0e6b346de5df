import type {
  Engine,
  EnqueuedJob,
  EngineWorker,
  JobObserver,
  NewJob,
  PauseScope,
  Settlement,
  StartRun,
  WorkOptions,
} from '../../contracts/engine.js';
import { EngineUnavailableError, UnknownQueueError } from '../../contracts/errors.js';
import type { JobAddress, JobError, JobRecord, JobState } from '../../contracts/job.js';
import { suggest } from '../../contracts/suggestion.js';
import { toJobRecord, type EmbeddedJob } from './embedded-job.js';
import { EmbeddedQueue } from './embedded-queue.js';
import { EmbeddedWorker } from './embedded-worker.js';
import { settleSoon } from '../observing.js';

export interface EmbeddedEngineOptions {
  /** Every declared queue. */
  queues: Iterable<string>;
  /** Milliseconds since the epoch. @default Date.now */
  now?: () => number;
}

/** Keeps jobs in the memory of this process: no server, and nothing left when the process ends. */
export class EmbeddedEngine implements Engine {
  readonly name = 'embedded';

  private readonly queues = new Map<string, EmbeddedQueue>();
  private readonly workers = new Set<EmbeddedWorker>();
  private isClosed = false;

  constructor({ queues, now = Date.now }: EmbeddedEngineOptions) {
    for (const queue of queues) this.queues.set(queue, new EmbeddedQueue(now));
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    if (this.isClosed) throw closedError(jobs.length === 1 ? jobs[0].id : undefined);
    const queues = jobs.map((job) => this.declaredQueue(job.queue));
    return jobs.map((job, index) => ({ id: job.id, deduplicated: !queues[index].add(job) }));
  }

  work(queue: string, options: WorkOptions, start: StartRun): EngineWorker {
    this.expectOpen();
    const worker = new EmbeddedWorker(this.declaredQueue(queue), options, start);
    this.workers.add(worker);
    return worker;
  }

  async find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    this.expectOpen();
    return jobs.map((address) => {
      const found = this.lookUp(address);
      return found && toRecord(found.job, found.queue);
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
    return settlement ? settleSoon(observer, settlement) : found.queue.watch(found.job, observer);
  }

  async progress(address: JobAddress, value: string): Promise<void> {
    this.expectOpen();
    const found = this.lookUp(address);
    found?.queue.progress(found.job, value);
  }

  async log(address: JobAddress, line: string): Promise<void> {
    this.expectOpen();
    const found = this.lookUp(address);
    found?.queue.log(found.job, line);
  }

  async counts(queue: string): Promise<Record<Exclude<JobState, 'unknown'>, number>> {
    this.expectOpen();
    return this.declaredQueue(queue).counts();
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

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const worker of this.workers) worker.takeNoMore();
    for (const queue of this.queues.values()) queue.close({ state: 'lost', error: closedError() });
  }

  private lookUp({ id, queue: name }: JobAddress): { queue: EmbeddedQueue; job: EmbeddedJob } | undefined {
    const queues = name === undefined ? this.queues.values() : [this.queues.get(name)];
    for (const queue of queues) {
      const job = queue?.find(id);
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

function toRecord(job: EmbeddedJob, queue: EmbeddedQueue): JobRecord {
  const record = toJobRecord(job);
  if (queue.isPaused && record.state === 'waiting') record.waitingFor = 'pause';
  return record;
}

function closedError(jobId?: string): EngineUnavailableError {
  return new EngineUnavailableError('The embedded engine is closed.', { sent: false, jobId });
}

/** How a job ended; undefined while it has not. */
function settlementOf(job: EmbeddedJob): Settlement | undefined {
  switch (job.state) {
    case 'completed':
      return { state: 'completed', result: job.result };
    case 'failed':
      return { state: 'failed', error: { ...(job.error as JobError) } };
    case 'waiting':
    case 'delayed':
    case 'active':
    case 'cancelled':
    case 'expired':
      return undefined;
  }
}
