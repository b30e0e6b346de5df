import type { Queue } from 'bull';
import { nanoid } from 'nanoid';
import {
  LOG_LINES,
  type EnqueuedJob,
  type Engine,
  type EngineWorker,
  type JobObserver,
  type NewJob,
  type PauseScope,
  type StartRun,
  type WorkOptions,
} from '../../contracts/engine.js';
import { EngineUnavailableError, UnknownQueueError } from '../../contracts/errors.js';
import type { JobAddress, JobRecord, JobState } from '../../contracts/job.js';
import { suggest } from '../../contracts/suggestion.js';
import { settleSoon, tell } from '../observing.js';
import { BullQueues } from './bull-queues.js';
import { BullWorker } from './bull-worker.js';
import { aboutJobs, JobAdder } from './job-adder.js';
import { JobReader } from './job-reader.js';
import { JobWatchers } from './job-watchers.js';
import { queueKeys, type QueueKeys } from './queue-keys.js';
import type { ConnectionSource, RedisClient } from './redis-client.js';
import { RedisConnections } from './redis-connections.js';
import { checkServer } from './server-check.js';
import { runScript } from './scripts.js';

/** How often the subscription is tried, in ms, and after how many times watched jobs are read again. */
const HEARTBEAT = 5_000;
const BEATS_PER_CHECK = 6;

/** Times in ms. */
export interface BullEngineOptions {
  redis: ConnectionSource;
  prefix: string;
  queues: Iterable<string>;
  lockDuration: number;
  /** 0: jobs of dead workers are not looked for. */
  stalledInterval: number;
  /** Longest time to reach Redis, and for the answer to a caller. */
  commandTimeout: number;
}

/**
 * Keeps jobs in Redis, in Bull's own keys, so that Bull's queues, listeners and tools see them. Bull's loop is not used:
 * `BullWorker` works the same keys several jobs at a time.
 */
export class BullEngine implements Engine {
  readonly name = 'bull';
  private readonly connections: RedisConnections;
  private readonly queues: BullQueues;
  private readonly adder: JobAdder;
  private readonly reader: JobReader;
  private readonly keys = new Map<string, QueueKeys>();
  private readonly watchers = new Map<string, JobWatchers>();
  /** By the channel that tells of delayed jobs. */
  private readonly workers = new Map<string, Set<BullWorker>>();
  private workersMade = 0;
  private readonly token = nanoid();
  /** Queues that are paused in this process only. */
  private readonly pausedHere = new Set<string>();
  /** For all queues, and open from the start: a watch must not come too late. */
  private readonly subscription: RedisClient;
  private readonly heartbeat: NodeJS.Timeout;
  private beats = 0;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: BullEngineOptions) {
    this.connections = new RedisConnections(options.redis, options.commandTimeout);
    const { isCluster } = this.connections;
    for (const queue of options.queues) this.keys.set(queue, queueKeys(options.prefix, queue, isCluster));
    this.queues = new BullQueues(this.connections, (queue) => this.keysOf(queue));
    this.adder = new JobAdder(this.connections, (queue) => this.keysOf(queue), this.queues.token);
    this.subscription = this.connections.open('subscriber');
    this.subscription.on('message', (channel: string, message: string) => this.receive(channel, message));
    this.subscription.on('ready', () => {
      for (const watchers of this.watchers.values()) watchers.checkAll();
    });
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT).unref();
    void checkServer(this.connections);
    this.reader = new JobReader(this.connections, this.keys, (queue) => this.keysOf(queue));
  }

  /** Bull's own queue object, made at first use. */
  bullQueue(name: string): Queue {
    return this.queues.get(name);
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    if (this.closing) throw aboutJobs(closedError(), jobs);
    return jobs.length === 0 ? [] : this.adder.add(jobs);
  }

  work(queue: string, options: WorkOptions, startRun: StartRun): EngineWorker {
    this.refuseIfClosed();
    const keys = this.keysOf(queue);
    const worker = new BullWorker(
      this.connections,
      this.queues,
      keys,
      options,
      this.options,
      `${this.token}:${this.workersMade++}`,
      startRun,
    );
    if (this.pausedHere.has(queue)) worker.setPaused(true);
    const channel = `${keys.base}delayed`;
    this.workers.set(channel, (this.workers.get(channel) ?? new Set()).add(worker));
    void this.subscription
      .subscribe(channel)
      // Without notices the worker still looks at the delayed jobs every few seconds.
      .catch(() => undefined);
    return worker;
  }

  async find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    this.refuseIfClosed();
    return this.reader.records(jobs);
  }

  async state(job: JobAddress): Promise<JobState> {
    this.refuseIfClosed();
    return (await this.reader.locate(job))?.state ?? 'unknown';
  }

  watch(job: JobAddress, observer: JobObserver): () => void {
    if (this.closing) return settleSoon(observer, { state: 'lost', error: closedError() });
    if (job.queue !== undefined) return this.watchersOf(job.queue).watch(job.id, observer);
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

  async counts(queue: string): Promise<Record<Exclude<JobState, 'unknown'>, number>> {
    this.refuseIfClosed();
    return this.reader.counts(this.keysOf(queue));
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

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    clearInterval(this.heartbeat);
    await Promise.all([...this.workers.values()].flatMap((workers) => [...workers].map((worker) => worker.stop())));
    for (const watchers of this.watchers.values()) watchers.close(closedError());
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
    for (const worker of this.workers.get(`${base}delayed`) ?? []) worker.setPaused(isPaused);
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

  private watchersOf(queue: string): JobWatchers {
    let watchers = this.watchers.get(queue);
    if (!watchers) {
      const keys = this.keysOf(queue);
      watchers = new JobWatchers(keys, this.connections, this.subscription, (ids) => this.reader.ends(keys, ids));
      this.watchers.set(queue, watchers);
    }
    return watchers;
  }

  /** Nothing is ever sent on a subscription, so that a half-open one would stay unnoticed, and its waiters wait for ever. */
  private beat(): void {
    if (this.subscription.status !== 'ready') return;
    // A server that forbids PING to this user answers all the same.
    this.connections.withDeadline(this.subscription, (client) => client.ping()).catch(() => undefined);
    this.beats++;
    if (this.beats % BEATS_PER_CHECK === 0) for (const watchers of this.watchers.values()) watchers.checkSome();
  }

  private receive(channel: string, message: string): void {
    const workers = this.workers.get(channel);
    if (workers) for (const worker of workers) worker.noteDelayed(Number(message));
    else for (const watchers of this.watchers.values()) watchers.receive(channel, message);
  }

  private refuseIfClosed(): void {
    if (this.closing) throw closedError();
  }
}

function closedError(): EngineUnavailableError {
  return new EngineUnavailableError('The engine is closed, because the application is shutting down.', { sent: false });
}
