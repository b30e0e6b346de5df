import type { Queue } from 'bull';
import { nanoid } from 'nanoid';
import {
  LOG_LINES,
  type EnqueuedJob,
  type Engine,
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
import { EngineUnavailableError, InvalidOptionsError, UnknownQueueError } from '../../contracts/errors.js';
import type { JobAddress, JobRecord, JobState } from '../../contracts/job.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import { suggest } from '../../contracts/suggestion.js';
import { settleSoon, tell } from '../observing.js';
import { BullQueues } from './bull-queues.js';
import { BullSchedules } from './bull-schedules.js';
import { BullWorker } from './bull-worker.js';
import { aboutJobs, JobAdder } from './job-adder.js';
import { JobLists } from './job-lists.js';
import { JobReader } from './job-reader.js';
import { JobSteering } from './job-steering.js';
import { LostOutcomes } from './lost-outcomes.js';
import { Notices } from './notices.js';
import type { QueueKeys } from './queue-keys.js';
import { sweepQueue } from './queue-sweep.js';
import type { RedisConnections } from './redis-connections.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';
import { runScript } from './scripts.js';

/** Times in ms. */
export interface BullEngineOptions extends RedisServerOptions {
  lockDuration: number;
  /** 0: jobs of dead workers are not looked for. */
  stalledInterval: number;
  /** Of cancelled and expired jobs. @default 7 days, 10,000 of each */
  keepStopped?: FailedRetention;
}

const KEEP_STOPPED: FailedRetention = { age: 7 * 24 * 60 * 60 * 1_000, count: 10_000 };

/**
 * Keeps jobs in Redis, in Bull's own keys, so that Bull's queues, listeners and tools see them. Bull's loop is not used:
 * `BullWorker` works the same keys several jobs at a time.
 */
export class BullEngine implements Engine {
  readonly name = 'bull';
  readonly schedules: BullSchedules;
  private readonly server: RedisServer;
  private readonly connections: RedisConnections;
  private readonly queues: BullQueues;
  private readonly adder: JobAdder;
  private readonly reader: JobReader;
  private readonly lists: JobLists;
  private readonly steering: JobSteering;
  private readonly keepStopped: FailedRetention;
  private readonly keys: ReadonlyMap<string, QueueKeys>;
  private readonly notices: Notices;
  private readonly lostOutcomes = new LostOutcomes();
  /** By queue. */
  private readonly workers = new Map<string, Set<BullWorker>>();
  private workersMade = 0;
  private readonly token = nanoid();
  /** Queues that are paused in this process only. */
  private readonly pausedHere = new Set<string>();
  private closing: Promise<void> | undefined;

  constructor(private readonly options: BullEngineOptions) {
    this.server = new RedisServer(options);
    ({ connections: this.connections, keys: this.keys } = this.server);
    this.queues = new BullQueues(this.connections, (queue) => this.keysOf(queue));
    this.keepStopped = options.keepStopped ?? KEEP_STOPPED;
    const shared = { token: this.queues.token, keepStopped: this.keepStopped };
    this.adder = new JobAdder(this.connections, (queue) => this.keysOf(queue), shared);
    this.reader = new JobReader(this.connections, this.keys, (queue) => this.keysOf(queue), this.keepStopped);
    this.notices = new Notices(this.connections, this.reader);
    this.schedules = new BullSchedules(this.connections, (queue) => this.keysOf(queue), this.notices, shared);
    this.lists = new JobLists(this.connections, (jobs) => this.reader.records(jobs));
    const locate = async (job: JobAddress): Promise<string | undefined> => (await this.reader.locate(job))?.queue;
    this.steering = new JobSteering(this.connections, (queue) => this.keysOf(queue), locate, shared);
  }

  /** Bull's own queue object, made at first use. */
  bullQueue(name: string): Queue {
    return this.queues.get(name);
  }

  // Not async: a promise less for each of many.
  enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    if (this.closing) return Promise.reject(aboutJobs(closedError(), jobs));
    return jobs.length === 0 ? Promise.resolve([]) : this.adder.add(jobs);
  }

  work(queue: string, options: WorkOptions, startRun: StartRun): EngineWorker {
    this.refuseIfClosed();
    const keys = this.keysOf(queue);
    const worker = new BullWorker(
      this.connections,
      this.queues,
      keys,
      options,
      { ...this.options, keepStopped: this.keepStopped, lostOutcomes: this.lostOutcomes },
      `${this.token}:${this.workersMade++}`,
      startRun,
    );
    if (this.pausedHere.has(queue)) worker.setPaused(true);
    this.workers.set(queue, (this.workers.get(queue) ?? new Set()).add(worker));
    this.notices.tell(worker, keys);
    return worker;
  }

  async begin({ id, queue }: JobAddress): Promise<boolean> {
    this.refuseIfClosed();
    for (const worker of queue === undefined ? this.allWorkers() : (this.workers.get(queue) ?? [])) {
      const noted = worker.noteBegin(id);
      if (noted) return noted;
    }
    return false;
  }

  async find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    this.refuseIfClosed();
    return this.withLocalPause(await this.reader.records(jobs));
  }

  async state(job: JobAddress): Promise<JobState> {
    this.refuseIfClosed();
    return (await this.reader.locate(job))?.state ?? 'unknown';
  }

  watch(job: JobAddress, observer: JobObserver): () => void {
    if (this.closing) return settleSoon(observer, { state: 'lost', error: closedError() });
    if (job.queue !== undefined) return this.notices.watch(this.keysOf(job.queue), job.id, observer);
    let isWatching = true;
    let unwatch: (() => void) | undefined;
    const locate = async (): Promise<void> => {
      const found = await this.reader.locate(job);
      if (!isWatching) return;
      if (found) unwatch = this.watch({ id: job.id, queue: found.queue }, observer);
      else tell(() => observer.settled({ state: 'unknown' }));
    };
    locate().catch((error: EngineUnavailableError) => {
      if (isWatching) tell(() => observer.settled({ state: 'lost', error }));
    });
    return () => {
      isWatching = false;
      unwatch?.();
    };
  }

  async progress(job: JobAddress, value: string): Promise<void> {
    const queue = await this.note(job, 'progress', value);
    if (queue !== undefined) this.queues.emitProgress(queue, job.id, value);
  }

  async log(job: JobAddress, line: string): Promise<void> {
    await this.note(job, 'log', line);
  }

  async counts(queue: string): Promise<Record<KnownState, number>> {
    this.refuseIfClosed();
    return this.reader.counts(this.keysOf(queue));
  }

  async list(query: JobQuery): Promise<JobPage> {
    this.refuseIfClosed();
    const keys = this.keysOf(query.queue);
    // What has expired since then would stand among the waiting.
    if (query.cursor === undefined) await sweepQueue(this.connections, keys, this.keepStopped);
    const page = await this.lists.page(keys, query);
    return { ...page, jobs: this.withLocalPause(page.jobs) };
  }

  async cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    this.refuseIfClosed();
    return this.steering.cancel(jobs);
  }

  async retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    this.refuseIfClosed();
    return this.steering.retry(jobs);
  }

  async remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    this.refuseIfClosed();
    return this.steering.remove(jobs);
  }

  async move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]> {
    this.refuseIfClosed();
    if (this.connections.isCluster) {
      throw new InvalidOptionsError(
        'A Redis Cluster keeps queues on different servers, so that a job cannot be moved from one to another in one ' +
          'step. Enqueue it there, and remove it here.',
      );
    }
    return this.steering.move(jobs, toQueue);
  }

  async pause(queue: string, scope: PauseScope): Promise<void> {
    await this.setPaused(queue, scope, true);
  }

  async resume(queue: string, scope: PauseScope): Promise<void> {
    await this.setPaused(queue, scope, false);
  }

  async isPaused(queue: string): Promise<boolean> {
    this.refuseIfClosed();
    const { base } = this.keysOf(queue);
    if (this.pausedHere.has(queue)) return true;
    return (await this.connections.run((client) => client.exists(`${base}meta-paused`))) === 1;
  }

  async problems(): Promise<readonly string[]> {
    if (this.closing) return [closedError().message];
    const problem = await this.server.problem();
    if (problem !== undefined) return [problem];
    return this.allWorkers().flatMap((worker) => worker.problem ?? []);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.notices.stop();
    await Promise.all(this.allWorkers().map((worker) => worker.stop()));
    this.lostOutcomes.close();
    this.notices.close(closedError());
    await this.queues.close();
    this.connections.close();
  }

  private async setPaused(queue: string, scope: PauseScope, isPaused: boolean): Promise<void> {
    this.refuseIfClosed();
    const { base } = this.keysOf(queue);
    if (scope === 'cluster') {
      const event = isPaused ? 'paused' : 'resumed';
      await this.connections.run((client) => runScript(client, 'pause', `${base}wait`, [base, event]));
      return;
    }
    if (isPaused) this.pausedHere.add(queue);
    else this.pausedHere.delete(queue);
    for (const worker of this.workers.get(queue) ?? []) worker.setPaused(isPaused);
  }

  /** Redis knows of the pause of all processes only. */
  private withLocalPause<Found extends JobRecord | undefined>(records: readonly Found[]): readonly Found[] {
    if (this.pausedHere.size === 0) return records;
    return records.map((record) =>
      record?.state === 'waiting' && this.pausedHere.has(record.queue) ? { ...record, waitingFor: 'pause' } : record,
    );
  }

  private allWorkers(): BullWorker[] {
    return [...this.workers.values()].flatMap((workers) => [...workers]);
  }

  private async note(job: JobAddress, what: 'progress' | 'log', value: string): Promise<string | undefined> {
    this.refuseIfClosed();
    const queue = job.queue ?? (await this.reader.locate(job))?.queue;
    if (queue === undefined) return undefined;
    const { base } = this.keysOf(queue);
    await this.connections.run((client) =>
      runScript(client, 'note', base + job.id, [base, job.id, what, value, LOG_LINES]),
    );
    return queue;
  }

  private keysOf(queue: string): QueueKeys {
    const keys = this.keys.get(queue);
    if (!keys)
      throw new UnknownQueueError(`The queue '${queue}' is not declared. ${suggest(queue, [...this.keys.keys()])}`);
    return keys;
  }

  private refuseIfClosed(): void {
    if (this.closing) throw closedError();
  }
}

function closedError(): EngineUnavailableError {
  return new EngineUnavailableError('The engine is closed, because the application is shutting down.', { sent: false });
}
