import { setTimeout as sleep } from 'node:timers/promises';
import { startDeadline } from './deadline.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';
import type { QueueKeys } from './queue-keys.js';
import { defineScripts } from './scripts.js';
import type { Arrival, WorkerTurns } from './worker-turns.js';

/**
 * Longest blocking read, in seconds, and how much later its reply comes at the latest, in ms. Together less than the 5 s
 * within which a worker goes on after its connection has been forgotten by a router.
 */
const BLOCK_SECONDS = 2;
const REPLY_MARGIN = 2_000;

/** How long a server may go on with a read whose connection is lost, in ms. */
const READ_ENDS_WITHIN = BLOCK_SECONDS * 1_000 + 500;

/** Wait after a failed read, in ms: a failing server is not to be asked in a loop. */
const READ_AGAIN = 100;

/** Longest time to ask the server to end a read, and the wait before it is asked again, in ms. */
const UNBLOCK_TIMEOUT = 500;
const UNBLOCK_AGAIN = 20;

/** Longest time to end a read when stopping, in ms: on a forgotten connection it does not end. */
const STOP_WITHIN = 1_000;

const NOTHING: Arrival = { ids: [] };

/**
 * Waits for the next job of an idle queue on a connection of its own, so that a job is picked up as soon as it comes: where
 * Bull asks for it once its read is answered, here it is in the answer.
 */
export class JobArrivals {
  private connection: RedisClient | undefined;
  /** The server's number of the connection, by which a read can be ended. */
  private connectionId: number | undefined;
  private isIntroduced = false;
  private waiting: Promise<void> | undefined;
  /** What the present read waits for, beside its answer. */
  private onReady: (() => void) | undefined;
  private onClose: (() => void) | undefined;
  private isStopped = false;
  /** It is asked to end its read, so that it cannot take a job past those of the other lists. */
  isMakingWay = false;
  /** Its read cannot be ended, so that a low job may start before a normal one that it takes meanwhile. */
  isStuck = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: QueueKeys,
    private readonly turns: WorkerTurns,
    /** `replyLost`: a connection was lost with a read under way, and perhaps with a job that was moved, or has this lock. */
    private readonly on: { arrived(arrival: Arrival): void; replyLost(lock: string): void },
  ) {}

  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** Begins to wait, unless it does already. */
  wait(): void {
    if (this.isStopped) return;
    this.waiting ??= this.read().then((arrival) => {
      this.waiting = undefined;
      this.on.arrived(arrival);
    });
  }

  /** Ends a wait without losing a job that comes at the same moment. */
  async stop(): Promise<void> {
    this.isStopped = true;
    const { connection } = this;
    if (!connection) return;
    await untilConnected(connection);
    // Closing the socket could lose a job that the server is about to answer with.
    await Promise.race([this.interrupt(), sleep(STOP_WITHIN, undefined, { ref: false })]);
    // Once only: a second call, on a closed socket, keeps the process for 2 s more.
    connection.disconnect();
    this.onClose?.();
    await this.waiting;
  }

  /** Ends the present wait, so that jobs of other lists go first; nothing more comes meanwhile. */
  async makeWay(): Promise<void> {
    if (this.isMakingWay || this.isStopped) return;
    this.isMakingWay = true;
    this.isStuck = !(await this.interrupt());
    this.isMakingWay = false;
    this.on.arrived(NOTHING);
  }

  /** Ends the present wait; false where it cannot be ended, and goes on. */
  private async interrupt(): Promise<boolean> {
    // A read may be on its way to the server still, so it is ended again until it is over.
    while (this.waiting) {
      if (!(await this.unblock())) return false;
      await Promise.race([this.waiting, sleep(UNBLOCK_AGAIN)]);
    }
    return true;
  }

  /** Asks the server to end the read; false where it cannot be asked. */
  private async unblock(): Promise<boolean> {
    const { connectionId } = this;
    if (connectionId === undefined) return false;
    return this.connections
      .run((client) => client.call('CLIENT', 'UNBLOCK', connectionId), UNBLOCK_TIMEOUT)
      .then(
        () => true,
        () => false,
      );
  }

  private async read(): Promise<Arrival> {
    const read: Read = { isOver: false, isLost: false };
    let answered: (() => void) | undefined;
    try {
      const connection = (this.connection ??= this.open());
      // A half-open connection never answers: it is dropped, and ioredis makes a new one.
      answered = startDeadline(BLOCK_SECONDS * 1_000 + REPLY_MARGIN, () => connection.disconnect(true));
      // ioredis never answers the commands of a dropped connection.
      const dropped = new Promise<Arrival>((resolve) => (this.onClose = () => resolve(NOTHING)));
      return await Promise.race([this.readFrom(connection, read), dropped]);
    } catch (error) {
      // What was refused has taken no job.
      if ((error as Error).name === 'ReplyError') read.unanswered = undefined;
      // Outages are logged where they are noticed first: by the connections.
      if (!this.isStopped) await sleep(READ_AGAIN);
      return NOTHING;
    } finally {
      answered?.();
      read.isOver = true;
      this.noteLost(read);
    }
  }

  private async readFrom(connection: RedisClient, read: Read): Promise<Arrival> {
    if (connection.status !== 'ready') await new Promise<void>((resolve) => (this.onReady = resolve));
    const isNew = !this.isIntroduced;
    if (isNew) await this.introduce(connection);
    if (this.isStopped || read.isOver) return NOTHING;
    const lock = (read.unanswered = this.turns.newLock());
    // At first only what others have left. It makes the script known to the server, for which no job shall wait.
    const reading = isNew ? this.turns.arrive(connection, lock) : this.turns.read(connection, BLOCK_SECONDS, lock);
    const arrival = await reading;
    read.unanswered = undefined;
    // A client of the app's own sends the read again on its next connection, while it is looked for what it took.
    if (read.isOver && arrival.job) this.on.replyLost(lock);
    if (read.isOver) this.on.arrived({ ids: arrival.ids });
    return arrival;
  }

  private noteLost(read: Read): void {
    if (read.unanswered === undefined) return;
    // A stop waits for the first look, not for the second.
    if (this.isStopped && read.isLost) return;
    this.on.replyLost(read.unanswered);
    if (read.isLost) return;
    read.isLost = true;
    // Until the server is through with the read, it may take a job for nobody.
    setTimeout(() => this.noteLost(read), READ_ENDS_WITHIN).unref();
  }

  private open(): RedisClient {
    const connection = this.connections.open('bclient');
    defineScripts(connection, ['arrive']);
    connection.on('close', () => {
      this.connectionId = undefined;
      this.isIntroduced = false;
      this.onClose?.();
    });
    connection.on('ready', () => this.onReady?.());
    return connection;
  }

  /** Done before the first read of a connection: what is sent after a blocking read is answered after it, too. */
  private async introduce(connection: RedisClient): Promise<void> {
    if (!connection.isCluster) {
      // The name is the one by which Bull's getWorkers() finds workers.
      const name = `${this.keys.prefix}:${Buffer.from(this.keys.queue).toString('base64')}`;
      await Promise.all([
        connection.call('CLIENT', 'ID').then((id) => (this.connectionId = Number(id)), ignoreRefusal),
        connection.call('CLIENT', 'SETNAME', name).catch(ignoreRefusal),
      ]);
    }
    this.isIntroduced = true;
  }
}

interface Read {
  /** Nobody waits for the answer any more. */
  isOver: boolean;
  /** Its answer was missed already. */
  isLost: boolean;
  /** Its lock, from when it is sent until it is answered. */
  unanswered?: string;
}

/** A server may forbid these commands to this user; both are a convenience. */
function ignoreRefusal(error: Error): void {
  if (error.name !== 'ReplyError') throw error;
}

/** A connection that is closed while it is being made calls itself ready later on, though it is not. */
async function untilConnected(connection: RedisClient): Promise<void> {
  if (connection.status !== 'connecting' && connection.status !== 'connect') return;
  const settled = new Promise((resolve) => connection.once('ready', resolve).once('close', resolve));
  await Promise.race([settled, sleep(UNBLOCK_TIMEOUT, undefined, { ref: false })]);
}
