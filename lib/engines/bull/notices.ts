import type { JobObserver } from '../../contracts/engine.js';
import type { EngineUnavailableError } from '../../contracts/errors.js';
import type { BullWorker } from './bull-worker.js';
import type { JobReader } from './job-reader.js';
import { JobWatchers } from './job-watchers.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';

/** How often the subscription is tried, in ms, and after how many times watched jobs are read again. */
const HEARTBEAT = 2_500;
const BEATS_PER_CHECK = 12;

/** What workers listen to. */
const WORKER_CHANNELS = ['delayed', 'lanes', 'cancelled'];

/** One subscription for all queues, open from the start: a watch must not come too late. */
export class Notices {
  private readonly watchers = new Map<string, JobWatchers>();
  private readonly workers = new Map<QueueKeys, Set<BullWorker>>();
  /** By channel. */
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly subscription: RedisClient;
  private readonly heartbeat: NodeJS.Timeout;
  private beats = 0;

  constructor(
    private readonly connections: RedisConnections,
    private readonly reader: JobReader,
  ) {
    this.subscription = connections.open('subscriber');
    this.subscription.on('message', (channel: string, message: string) => this.receive(channel, message));
    this.subscription.on('ready', () => this.checkAll());
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT).unref();
  }

  /** Tells a worker of what happens in its queue. */
  tell(worker: BullWorker, keys: QueueKeys): void {
    this.workers.set(keys, (this.workers.get(keys) ?? new Set()).add(worker));
    void this.subscription
      .subscribe(...WORKER_CHANNELS.map((channel) => keys.base + channel))
      // Without notices the worker still looks at all of it every few seconds.
      .then(() => worker.catchUp(), ignore);
  }

  watch(keys: QueueKeys, id: string, observer: JobObserver): () => void {
    let watchers = this.watchers.get(keys.queue);
    if (!watchers) {
      const readEnds = (ids: readonly string[]) => this.reader.ends(keys, ids);
      watchers = new JobWatchers(keys, this.connections, this.subscription, readEnds);
      this.watchers.set(keys.queue, watchers);
    }
    return watchers.watch(id, observer);
  }

  /** Calls back for each message of a channel, and when messages may have been lost. Answers a function that ends it. */
  listen(channel: string, listener: () => void): () => void {
    this.listeners.set(channel, (this.listeners.get(channel) ?? new Set()).add(listener));
    void this.subscription.subscribe(channel).then(listener, ignore);
    return () => void this.listeners.get(channel)?.delete(listener);
  }

  stop(): void {
    clearInterval(this.heartbeat);
  }

  close(error: EngineUnavailableError): void {
    this.stop();
    for (const watchers of this.watchers.values()) watchers.close(error);
  }

  /** While the connection was away, notices were lost. */
  private checkAll(): void {
    for (const watchers of this.watchers.values()) watchers.checkAll();
    for (const worker of this.allWorkers()) worker.catchUp();
    for (const listener of this.allListeners()) listener();
  }

  /**
   * Nothing is ever sent on a subscription, so that a half-open one would stay unnoticed, and its waiters wait for ever.
   * To subscribe once more proves that it works, and does no harm.
   */
  private beat(): void {
    if (this.subscription.status !== 'ready') return;
    const channels = this.channels();
    this.connections
      .withDeadline<unknown, RedisClient>(this.subscription, (client) =>
        // A server that forbids PING to this user answers all the same.
        channels.length > 0 ? client.subscribe(...channels) : client.ping(),
      )
      .catch(ignore);
    this.beats++;
    if (this.subscription.isCluster) {
      // Its client may take another node for the subscription at any time, and tells nobody.
      for (const worker of this.allWorkers()) worker.catchUp();
    } else if (this.beats % BEATS_PER_CHECK !== 0) return;
    for (const watchers of this.watchers.values()) watchers.checkSome();
  }

  private channels(): string[] {
    const bases = [...this.workers.keys()].map(({ base }) => base);
    const ofWorkers = bases.flatMap((base) => WORKER_CHANNELS.map((channel) => base + channel));
    return [
      ...ofWorkers,
      ...this.listeners.keys(),
      ...[...this.watchers.values()].flatMap((watchers) => watchers.channelsInUse),
    ];
  }

  private allWorkers(): BullWorker[] {
    return [...this.workers.values()].flatMap((workers) => [...workers]);
  }

  private allListeners(): (() => void)[] {
    return [...this.listeners.values()].flatMap((listeners) => [...listeners]);
  }

  private receive(channel: string, message: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener();
    for (const [{ base }, workers] of this.workers) {
      if (!channel.startsWith(base)) continue;
      for (const worker of workers) worker.receive(channel.slice(base.length), message);
    }
    for (const watchers of this.watchers.values()) watchers.receive(channel, message);
  }
}

function ignore(): void {}
