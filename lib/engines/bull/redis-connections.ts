import { EngineUnavailableError } from '../../contracts/errors.js';
import { startDeadline, startDeadlineOfSilence } from './deadline.js';
import type { Outage } from './outage.js';
import {
  bytesReceived,
  createClient,
  dropSilentNodes,
  isSending,
  type ConnectionRole,
  type ConnectionSource,
  type RedisClient,
} from './redis-client.js';
import { findRefusal } from './refusals.js';
import { defineScripts } from './scripts.js';

/** Told by ioredis before anything was written. */
const NOT_WRITTEN = /^Stream isn't writeable|^Cluster isn't ready/;

/** How long the answer to a command may take, in ms. */
interface AnswerTime {
  /** Longest silence. */
  silence: number;
  /** Longest time as long as something comes in. @default `silence` */
  longest?: number;
}

/** Of what a worker sends in the background. */
const IN_BACKGROUND: AnswerTime = { silence: 4_000, longest: 10_000 };

/** Longest time from the first packet of a connection until it can be used, in ms: a dead one never gets there. */
const READY_WITHIN = 1_000;

const LOST = new Error('The connection was lost before the answer came.');

/** Every connection of one engine, and what happens when Redis is away. */
export class RedisConnections {
  private readonly clients = new Set<RedisClient>();
  /** Given up by us, and not yet closed: they still look ready. */
  private readonly dropped = new WeakSet<RedisClient>();
  private readonly wereReady = new WeakSet<RedisClient>();
  /** Commands without an answer, by connection: ioredis says nothing to them when it is lost. */
  private readonly unanswered = new Map<RedisClient, Set<(error: Error) => void>>();
  private commands: RedisClient | undefined;
  private isClosed = false;

  constructor(
    private readonly source: ConnectionSource,
    /** Longest time to reach Redis, and for the answer to a caller, in ms. */
    private readonly timeout: number,
    private readonly outage: Outage,
  ) {}

  /** The connection for everything but blocking reads and subscriptions; opened at first use. */
  get client(): RedisClient {
    if (!this.commands) {
      this.commands = this.open('client');
      // A command that waits in the client would run after its caller was told that it never will.
      this.commands.options.enableOfflineQueue = false;
      defineScripts(this.commands);
    }
    return this.commands;
  }

  private get isReady(): boolean {
    const { client } = this;
    return client.status === 'ready' && !this.dropped.has(client);
  }

  /** A cluster has no command over keys of two queues. */
  get isCluster(): boolean {
    return this.client.isCluster;
  }

  open(role: ConnectionRole): RedisClient {
    const client = createClient(this.source, role);
    // Bull adds listeners of its own per queue.
    client.setMaxListeners(0);
    client.on('error', (error: Error) => this.noteFailure(error));
    client.on('connect', () => this.expectReady(client));
    client.on('ready', () => {
      this.wereReady.add(client);
      this.outage.mayBeOver();
    });
    client.on('close', () => this.loseAnswers(client));
    client.on('end', () => this.clients.delete(client));
    this.clients.add(client);
    // An app's own client may wait for its first command.
    if (client.status === 'wait') client.connect().catch(ignore);
    return client;
  }

  /**
   * Runs a command within the deadline.
   *
   * @throws EngineUnavailableError when Redis cannot be reached, refuses the command, or does not answer in time
   */
  run<T>(command: (client: RedisClient) => Promise<T>, timeout = this.timeout): Promise<T> {
    return this.send(command, { silence: timeout }, Math.min(timeout, this.timeout));
  }

  /**
   * As `run`, for what a worker sends in the background: a long answer may take its time.
   *
   * @param patience longest wait for a connection, in ms
   */
  runInBackground<T>(command: (client: RedisClient) => Promise<T>, patience?: number): Promise<T> {
    const { silence } = IN_BACKGROUND;
    return this.send(command, IN_BACKGROUND, patience ?? Math.min(silence, this.timeout));
  }

  private async send<T>(
    command: (client: RedisClient) => Promise<T>,
    answer: AnswerTime,
    patience: number,
  ): Promise<T> {
    const { client } = this;
    if (!this.isReady) await this.untilReady(client, patience);
    try {
      return await this.withDeadline(client, command, answer);
    } catch (error) {
      if (!wasNotWritten(error)) throw error;
      // The connection has just been lost, and does not say so yet.
      await this.untilReady(client, patience);
      return this.withDeadline(client, command, answer);
    }
  }

  /** As `run`, for a command that may be run twice: once more when its connection was lost before the answer came. */
  read<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    return onceMore(() => this.run(command));
  }

  /** As `read`, on a connection of another role. */
  readOn<T>(client: RedisClient, command: (client: RedisClient) => Promise<T>): Promise<T> {
    return onceMore(() => this.withDeadline(client, command));
  }

  /** Runs a command on a connection of another role within the deadline. */
  async withDeadline<T, C extends RedisClient>(
    client: C,
    command: (client: C) => Promise<T>,
    answer: AnswerTime = { silence: this.timeout },
  ): Promise<T> {
    let answered: (() => void) | undefined;
    let lose: ((error: Error) => void) | undefined;
    const unanswered = this.unansweredBy(client);
    const failed = new Promise<never>((_resolve, reject) => {
      unanswered.add((lose = reject));
      answered = this.expectAnswer(client, answer, reject);
    });
    try {
      return await Promise.race([command(client), failed]);
    } catch (error) {
      throw this.unavailable(client, error);
    } finally {
      answered?.();
      unanswered.delete(lose!);
    }
  }

  /** Resolves when commands can be sent, or could not be in time. */
  async settled(): Promise<void> {
    if (!this.isReady) await this.untilReady(this.client).catch(ignore);
  }

  /** Resolves when every connection can be used; rejects when one cannot in time. */
  async allReady(): Promise<void> {
    await Promise.all(
      [...this.clients].map((client) => (client.status === 'ready' ? Promise.resolve() : this.untilReady(client))),
    );
  }

  /** Ends every connection at once; call it when nothing is under way. */
  close(): void {
    this.isClosed = true;
    this.outage.close();
    for (const client of this.clients) client.disconnect();
    this.clients.clear();
  }

  /** Answers a function that ends the wait. */
  private expectAnswer(
    client: RedisClient,
    { silence, longest }: AnswerTime,
    reject: (error: Error) => void,
  ): () => void {
    const late = (): void => {
      reject(new EngineUnavailableError(`Redis did not answer within ${silence} ms.`, { sent: true }));
      // Who is in more of a hurry than callers proves nothing.
      if (silence < this.timeout) return;
      if (client === this.commands) this.outage.suspect(`it did not answer within ${silence} ms`);
      // A half-open connection would swallow every further command.
      this.drop(client);
    };
    if (longest === undefined) return startDeadline(silence, late);
    let received = bytesReceived(client);
    return startDeadlineOfSilence(silence, longest, late, () => {
      const before = received;
      received = bytesReceived(client);
      return received > before || isSending(client);
    });
  }

  private async untilReady(client: RedisClient, timeout = this.timeout): Promise<void> {
    if (this.isClosed) throw closedError();
    if (timeout === 0) throw new EngineUnavailableError('Redis is not connected at present.', { sent: false });
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error): void => {
        stopWaiting();
        client.off('ready', done);
        client.off('end', ended);
        if (error) reject(error);
        else resolve();
      };
      const ended = (): void => done(closedError());
      const stopWaiting = startDeadline(timeout, () => {
        this.outage.suspect(`it could not be reached within ${timeout} ms`);
        done(new EngineUnavailableError(`Redis could not be reached within ${timeout} ms.`, { sent: false }));
      });
      client.once('ready', done);
      client.once('end', ended);
    });
  }

  /** A server that takes a connection and never answers leaves it half made. */
  private expectReady(client: RedisClient): void {
    const stop = startDeadline(READY_WITHIN, () => {
      if (client.status !== 'connect') return;
      // One that was begun before the end of an outage says nothing about the time after it.
      if (!this.isReady) this.outage.suspect(`it took a connection and did not answer within ${READY_WITHIN} ms`);
      this.drop(client);
    });
    client.once('ready', stop).once('close', stop);
  }

  private drop(client: RedisClient): void {
    if (client === this.commands && client.isCluster) {
      void dropSilentNodes(client);
      return;
    }
    this.dropped.add(client);
    client.disconnect(true);
  }

  private unansweredBy(client: RedisClient): Set<(error: Error) => void> {
    let unanswered = this.unanswered.get(client);
    if (!unanswered) this.unanswered.set(client, (unanswered = new Set()));
    return unanswered;
  }

  private loseAnswers(client: RedisClient): void {
    this.dropped.delete(client);
    // What waits in a client for its connection has not been sent, and will be by the next one.
    if (!this.wereReady.delete(client)) return;
    for (const lose of this.unansweredBy(client)) lose(LOST);
  }

  private unavailable(client: RedisClient, error: unknown): EngineUnavailableError {
    if (error instanceof EngineUnavailableError) return error;
    const cause = error instanceof Error ? error : new Error(String(error));
    // A reply is an answer: Redis refused the command, so nothing of it will ever run.
    const sent = cause.name !== 'ReplyError' && !NOT_WRITTEN.test(cause.message);
    const refusal = cause.name === 'ReplyError' ? findRefusal(cause.message) : undefined;
    if (refusal) this.noteRefusal(client, refusal.code, cause.message);
    const what = `Redis ${sent ? 'went away' : 'refused a command'}: ${cause.message}`;
    return new EngineUnavailableError(refusal ? `${what} ${refusal.advice}` : what, { sent, cause });
  }

  private noteRefusal(client: RedisClient, code: string, reason: string): void {
    this.outage.begin(reason);
    // A master that was made a replica keeps its connections; the next ones are made to the new master.
    if (code === 'READONLY' && !client.isCluster) for (const each of this.clients) this.drop(each);
  }

  private noteFailure(error: Error): void {
    this.outage.begin(error.message || (error as NodeJS.ErrnoException).code || error.name);
  }
}

async function onceMore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof EngineUnavailableError && error.cause === LOST)) throw error;
    return ask();
  }
}

function closedError(): EngineUnavailableError {
  return new EngineUnavailableError('The engine is closed.', { sent: false });
}

function wasNotWritten(error: unknown): boolean {
  return (
    error instanceof EngineUnavailableError && error.cause instanceof Error && NOT_WRITTEN.test(error.cause.message)
  );
}

function ignore(): void {}
