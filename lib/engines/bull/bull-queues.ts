import Bull, { type Job, type Queue } from 'bull';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import type { Outcome } from '../../contracts/outcome.js';
import type { QueueKeys } from './queue-keys.js';
import type { EndedRun } from './outcome-arguments.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';

/** A part of Bull that its types leave out: makes a job of the fields of its hash. */
const { Job: BullJob } = Bull as unknown as {
  Job: { fromJSON(queue: Queue, hash: Record<string, unknown>, id: string): Job };
};

/**
 * Bull's own queue objects, for `@InjectQueue()`, `@nestjs/bull` listeners and tools such as bull-board. Each is made
 * when it is asked for, and opens connections when it is used.
 */
export class BullQueues {
  /** The name under which this process publishes events: by it Bull tells its own from others'. */
  readonly token = nanoid();
  private readonly queues = new Map<string, Queue>();
  private client: RedisClient | undefined;
  private subscriber: RedisClient | undefined;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keysOf: (queue: string) => QueueKeys,
  ) {}

  get(name: string): Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new Bull(name, {
        prefix: this.keysOf(name).prefix,
        createClient: (role) => this.connect(role),
        // A version check would open a connection before anyone uses the queue.
        skipVersionCheck: true,
      } as Bull.QueueOptions);
      // The same for all queues, since one call may enqueue jobs of several.
      (queue as Queue & { token: string }).token = this.token;
      this.queues.set(name, queue);
    }
    return queue;
  }

  /** Whether anybody has the Bull queue, so that local events may be wanted. */
  isListening(name: string): boolean {
    return this.queues.has(name);
  }

  emitActive(run: EndedRun, outcome: Promise<Outcome>): void {
    this.emit('active', run, (job) => [job, outcome.then(toResult), 'waiting']);
  }

  /** Emits what Bull emits when a run ends: `failed` after each failed attempt, nothing after a snooze. */
  emitEnd(run: EndedRun, outcome: Outcome): void {
    switch (outcome.type) {
      case 'completed':
        this.emit('completed', run, (job) => [job, toResult(outcome), 'active']);
        return;
      case 'retry':
      case 'failed': {
        const { name, message, stack } = outcome.error;
        const error = Object.assign(new Error(message), { name, stack });
        this.emit('failed', run, (job) => [Object.assign(job, { failedReason: message }), error, 'active']);
        return;
      }
      case 'snooze':
      case 'declined':
    }
  }

  emitStalled(name: string, id: string): void {
    const queue = this.queues.get(name);
    if (!queue || queue.listenerCount('stalled') === 0) return;
    void queue.getJob(id).then((job) => job && emitSafely(queue, 'stalled', [job]), ignore);
  }

  emitProgress(name: string, id: string, value: string): void {
    const queue = this.queues.get(name);
    if (!queue || queue.listenerCount('progress') === 0) return;
    void queue.getJob(id).then((job) => job && emitSafely(queue, 'progress', [job, JSON.parse(value)]), ignore);
  }

  /** Ends the queues' timers; their connections end with all others. */
  async close(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close(true).catch(ignore)));
  }

  private emit(event: string, run: EndedRun, toArguments: (job: Job) => unknown[]): void {
    const queue = this.queues.get(run.job.queue);
    if (!queue || queue.listenerCount(event) === 0) return;
    const { job, data, opts, startedAt, endedAt } = run;
    const hash = {
      name: job.task,
      data,
      opts,
      timestamp: job.enqueuedAt,
      attemptsMade: job.attemptsMade,
      processedOn: startedAt,
      ...(event === 'active' ? {} : { finishedOn: endedAt }),
    };
    try {
      const bullJob = BullJob.fromJSON(queue, hash, job.id);
      emitSafely(queue, event, toArguments(bullJob));
    } catch {
      // Data that cannot be read makes no Bull job; the runner reports it.
    }
  }

  /** Bull shares one connection of each kind among all queues; a blocking one is asked for only by a foreign worker. */
  private connect(role: 'client' | 'subscriber' | 'bclient'): RedisClient & Bull.Queue['client'] {
    const open = (): RedisClient => this.connections.open(role);
    const client =
      role === 'client'
        ? (this.client ??= keepingCommands(open()))
        : role === 'subscriber'
          ? (this.subscriber ??= open())
          : open();
    return client as RedisClient & Bull.Queue['client'];
  }
}

/** Many of Bull's methods send their command without waiting for the connection, which opens at their first use. */
function keepingCommands(client: RedisClient): RedisClient {
  client.options.enableOfflineQueue = true;
  // About 20 s of an outage; without a limit a call of Bull's would hang as long as the outage lasts.
  if (client instanceof Redis) client.options.maxRetriesPerRequest ??= 20;
  return client;
}

function toResult(outcome: Outcome): unknown {
  return outcome.type === 'completed' && outcome.result !== undefined ? JSON.parse(outcome.result) : undefined;
}

/** As Bull does: what a listener throws goes to the queue's `error` listeners and touches no job. */
function emitSafely(queue: Queue, event: string, values: unknown[]): void {
  try {
    queue.emit(event, ...values);
  } catch (error) {
    queue.emit('error', error);
  }
}

function ignore(): void {}
