import type { JobObserver, Settlement } from '../../contracts/engine.js';
import { EngineUnavailableError } from '../../contracts/errors.js';
import type { JobError } from '../../contracts/job.js';
import { tell, type Watch } from '../observing.js';
import { Batch } from './batch.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';
import { isText } from './stored-json.js';
import { isJobError, readError, readRuns } from './stored-runs.js';

const CHANNELS = ['completed', 'failed', 'cancelled', 'expired', 'removed', 'progress'] as const;
type Channel = (typeof CHANNELS)[number];

/** Time without a watcher after which a queue's events are no longer listened to, in ms. */
const UNSUBSCRIBE_AFTER = 10_000;

/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Jobs that are read again in one go, to notice those that were removed. */
const CHECKED_AT_ONCE = 1_000;

/** What a read answers about a job's end; see `read-jobs.lua`. */
export type JobEnd = [
  queue: number,
  state: string,
  result: string | null,
  reason: string | null,
  runs: string | null,
  expiresAt: string,
];

/**
 * Tells observers of one queue how their jobs go on. One subscription for the queue, a map of observers by job id:
 * a job's end is pushed, however many wait, and an end that came before the subscription is read once.
 */
export class JobWatchers {
  private readonly watches = new Map<string, Set<Watch>>();
  private subscribed: Promise<unknown> | undefined;
  private unsubscribeTimer: NodeJS.Timeout | undefined;
  /** Timers for jobs that may expire while they are watched. */
  private readonly expiries = new Map<string, NodeJS.Timeout>();
  private readonly checks = new Batch<string>((ids) => void this.check(ids));

  constructor(
    private readonly keys: QueueKeys,
    private readonly connections: RedisConnections,
    private readonly subscriber: RedisClient,
    private readonly readEnds: (ids: readonly string[]) => Promise<readonly (JobEnd | [])[]>,
  ) {}

  watch(id: string, observer: JobObserver): () => void {
    clearTimeout(this.unsubscribeTimer);
    const watch: Watch = { observer };
    const watching = this.watches.get(id);
    if (watching) watching.add(watch);
    else this.watches.set(id, new Set([watch]));
    // At once, so that an end that comes right now is not missed.
    this.subscribed ??= this.subscribe();
    this.subscribed.catch(() => undefined);
    this.checks.add(id);
    return () => this.unwatch(id, watch);
  }

  get channelsInUse(): string[] {
    return this.subscribed ? this.channels() : [];
  }

  /** Reads again what every observer waits for: while the connection was away, events were lost. */
  checkAll(): void {
    this.subscribed = undefined;
    for (const id of this.watches.keys()) this.checks.add(id);
  }

  /** Reads some again, each in its turn: Bull's tools remove a job without telling anyone. */
  checkSome(): void {
    for (const id of [...this.watches.keys()].slice(0, CHECKED_AT_ONCE)) {
      this.checks.add(id);
      const watching = this.watches.get(id)!;
      this.watches.delete(id);
      this.watches.set(id, watching);
    }
  }

  /** Handles a message if it is about this queue. */
  receive(channel: string, message: string): void {
    if (this.watches.size === 0 || !channel.startsWith(this.keys.base)) return;
    const id = readJobId(message);
    if (id === undefined || !this.watches.has(id)) return;
    const read = readMessage(message);
    if (!read) {
      this.checks.add(id);
      return;
    }
    const { val, error, progress } = read;
    switch (channel.slice(this.keys.base.length) as Channel) {
      case 'progress':
        for (const { observer } of this.watches.get(id) ?? []) {
          tell(() => observer.progress?.(JSON.stringify(progress)));
        }
        return;
      case 'completed':
        this.settle(id, isText(val) ? { state: 'completed', result: val } : { state: 'completed' });
        return;
      case 'failed':
        this.settle(id, { state: 'failed', error: isJobError(error) ? error : readError(val, []) });
        return;
      case 'cancelled':
        this.settle(id, { state: 'cancelled' });
        return;
      case 'expired':
        this.settle(id, { state: 'expired' });
        return;
      case 'removed':
        this.settle(id, { state: 'unknown' });
    }
  }

  close(error: EngineUnavailableError): void {
    clearTimeout(this.unsubscribeTimer);
    for (const id of this.watches.keys()) this.settle(id, { state: 'lost', error });
  }

  private async check(ids: string[]): Promise<void> {
    try {
      await (this.subscribed ??= this.subscribe());
      const ends = await this.readEnds(ids);
      ends.forEach((end, index) => this.settleIfEnded(ids[index], end));
    } catch (error) {
      this.subscribed = undefined;
      if (!(error instanceof EngineUnavailableError)) throw error;
      for (const id of ids) this.settle(id, { state: 'lost', error });
    }
  }

  private settleIfEnded(id: string, end: JobEnd | []): void {
    if (end.length === 0) {
      this.settle(id, { state: 'unknown' });
      return;
    }
    const [, state, result, reason, runs, expiresAt] = end;
    if (state === 'completed') this.settle(id, result === null ? { state } : { state, result });
    else if (state === 'failed') this.settle(id, { state, error: readError(reason, readRuns(runs)) });
    else if (state === 'cancelled' || state === 'expired') this.settle(id, { state });
    // One that runs when its time comes does not expire then; whoever puts it back tells of it.
    else if (expiresAt !== '' && (state !== 'active' || Number(expiresAt) > Date.now())) {
      this.checkAt(id, Number(expiresAt));
    }
  }

  /** A job expires by itself, whether or not anybody is there to publish it. */
  private checkAt(id: string, expiresAt: number): void {
    const wait = Math.min(Math.max(0, expiresAt - Date.now()), LONGEST_TIMER);
    clearTimeout(this.expiries.get(id));
    const check = (): void => {
      this.expiries.delete(id);
      if (this.watches.has(id)) this.checks.add(id);
    };
    this.expiries.set(id, setTimeout(check, wait).unref());
  }

  private settle(id: string, settlement: Settlement): void {
    const watching = this.watches.get(id);
    this.drop(id);
    for (const { observer } of watching ?? []) tell(() => observer.settled(settlement));
    this.unsubscribeIfUnused();
  }

  private unwatch(id: string, watch: Watch): void {
    const watching = this.watches.get(id);
    if (!watching?.delete(watch)) return;
    if (watching.size === 0) this.drop(id);
    this.unsubscribeIfUnused();
  }

  private drop(id: string): void {
    this.watches.delete(id);
    clearTimeout(this.expiries.get(id));
    this.expiries.delete(id);
  }

  private subscribe(): Promise<unknown> {
    return this.connections.readOn(this.subscriber, (client) => client.subscribe(...this.channels()));
  }

  private unsubscribeIfUnused(): void {
    if (this.watches.size > 0) return;
    clearTimeout(this.unsubscribeTimer);
    this.unsubscribeTimer = setTimeout(() => {
      this.subscribed = undefined;
      // Workers of this process may listen to the same.
      const own = this.channels().filter((channel) => !channel.endsWith(':cancelled'));
      this.subscriber.unsubscribe(...own).catch(() => undefined);
    }, UNSUBSCRIBE_AFTER).unref();
  }

  private channels(): string[] {
    return CHANNELS.map((channel) => this.keys.base + channel);
  }
}

interface JobMessage {
  val?: string;
  error?: JobError;
  progress?: unknown;
}

/** Undefined for what is no message of ours or Bull's: anyone may publish on a channel. */
function readMessage(message: string): JobMessage | undefined {
  try {
    return JSON.parse(message) as JobMessage;
  } catch {
    return undefined;
  }
}

/** The id at the start of a message, without reading the rest: most messages are about jobs that nobody watches. */
function readJobId(message: string): string | undefined {
  const start = '{"jobId":"';
  if (!message.startsWith(start)) return undefined;
  let end = start.length;
  while (end < message.length && message[end] !== '"') end += message[end] === '\\' ? 2 : 1;
  try {
    return JSON.parse(message.slice(start.length - 1, end + 1)) as string;
  } catch {
    return undefined;
  }
}
