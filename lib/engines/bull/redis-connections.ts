import { Logger } from '@nestjs/common';
import { EngineUnavailableError } from '../../contracts/errors.js';
import { startDeadline } from './deadline.js';
import { createClient, type ConnectionRole, type ConnectionSource, type RedisClient } from './redis-client.js';
import { defineScripts } from './scripts.js';

/** Told by ioredis before anything was written. */
const NOT_WRITTEN = /^Stream isn't writeable/;

/** Longest time for what a worker does in the background, in ms: large results take their time on the wire. */
export const WORK_TIMEOUT = 10_000;

/** Every connection of one engine, and what happens when Redis is away. */
export class RedisConnections {
  private readonly clients = new Set<RedisClient>();
  /** Given up by us, and not yet closed: they still look ready. */
  private readonly dropped = new WeakSet<RedisClient>();
  private commands: RedisClient | undefined;
  private outage: { since: number } | undefined;
  private isClosed = false;

  constructor(
    private readonly source: ConnectionSource,
    /** Longest time to reach Redis, and for the answer to a caller, in ms. */
    private readonly timeout: number,
    private readonly logger = new Logger('BullEngine'),
  ) {}

  /** The connection for everything but blocking reads and subscriptions; opened at first use. */
  get client(): RedisClient {
    if (!this.commands) {
      this.commands = this.open('client');
      defineScripts(this.commands);
    }
    return this.commands;
  }

  /** A cluster has no command over keys of two queues. */
  get isCluster(): boolean {
    return this.client.isCluster;
  }

  open(role: ConnectionRole): RedisClient {
    const client = createClient(this.source, role);
    // Bull adds listeners of its own per queue.
    client.setMaxListeners(0);
    client.on('error', (error: Error) => this.noteOutage(error));
    client.on('ready', () => this.noteRecovery());
    client.on('close', () => this.dropped.delete(client));
    client.on('end', () => this.clients.delete(client));
    this.clients.add(client);
    return client;
  }

  /**
   * Runs a command within the deadline.
   *
   * @throws EngineUnavailableError when Redis cannot be reached, refuses the command, or does not answer in time
   */
  async run<T>(command: (client: RedisClient) => Promise<T>, timeout = this.timeout): Promise<T> {
    const { client } = this;
    if (client.status !== 'ready' || this.dropped.has(client)) await this.untilReady(client);
    try {
      return await this.withDeadline(client, command, timeout);
    } catch (error) {
      if (!wasNotWritten(error)) throw error;
      // The connection has just been lost, and does not say so yet.
      await this.untilReady(client);
      return this.withDeadline(client, command, timeout);
    }
  }

  /** Runs a command on a connection of another role within the deadline. */
  async withDeadline<T, C extends RedisClient>(
    client: C,
    command: (client: C) => Promise<T>,
    timeout = this.timeout,
  ): Promise<T> {
    let answered: (() => void) | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      answered = startDeadline(timeout, () => {
        reject(new EngineUnavailableError(`Redis did not answer within ${timeout} ms.`, { sent: true }));
        // A half-open connection would swallow every further command.
        this.dropped.add(client);
        client.disconnect(true);
      });
    });
    try {
      return await Promise.race([command(client), deadline]);
    } catch (error) {
      throw this.unavailable(error);
    } finally {
      answered?.();
    }
  }

  /** Ends every connection at once; call it when nothing is under way. */
  close(): void {
    this.isClosed = true;
    for (const client of this.clients) client.disconnect();
    this.clients.clear();
  }

  private async untilReady(client: RedisClient): Promise<void> {
    const { timeout } = this;
    if (this.isClosed) throw new EngineUnavailableError('The engine is closed.', { sent: false });
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error): void => {
        stopWaiting();
        client.off('ready', done);
        client.off('end', ended);
        if (error) reject(error);
        else resolve();
      };
      const ended = (): void => done(new EngineUnavailableError('The engine is closed.', { sent: false }));
      const stopWaiting = startDeadline(timeout, () =>
        done(new EngineUnavailableError(`Redis could not be reached within ${timeout} ms.`, { sent: false })),
      );
      client.once('ready', done);
      client.once('end', ended);
    });
  }

  private unavailable(error: unknown): EngineUnavailableError {
    if (error instanceof EngineUnavailableError) return error;
    const cause = error instanceof Error ? error : new Error(String(error));
    // A reply is an answer: Redis refused the command, so nothing of it will ever run.
    const sent = cause.name !== 'ReplyError' && !NOT_WRITTEN.test(cause.message);
    return new EngineUnavailableError(`Redis ${sent ? 'went away' : 'refused a command'}: ${cause.message}`, {
      sent,
      cause,
    });
  }

  /** One line per outage and process, however many connections notice it. */
  private noteOutage(error: Error): void {
    if (this.outage || this.isClosed) return;
    this.outage = { since: Date.now() };
    const cause = error.message || (error as NodeJS.ErrnoException).code || error.name;
    this.logger.error(
      `Redis is away (${cause}). enqueue() rejects with EngineUnavailableError; workers go on when it is back.`,
    );
  }

  private noteRecovery(): void {
    if (!this.outage) return;
    this.logger.log(`Redis is back after ${Math.round((Date.now() - this.outage.since) / 1000)} s.`);
    this.outage = undefined;
  }
}

function wasNotWritten(error: unknown): boolean {
  return (
    error instanceof EngineUnavailableError && error.cause instanceof Error && NOT_WRITTEN.test(error.cause.message)
  );
}
