import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';
import type { QueueKeys } from './queue-keys.js';

/** Longest blocking read, in seconds; the reply to it comes a little later at the latest. */
const BLOCK_SECONDS = 5;
const REPLY_MARGIN = 2_000;

/** Wait after a failed read, in ms: a failing server is not to be asked in a loop. */
const READ_AGAIN = 100;

/**
 * Waits for the next job of an idle queue on a connection of its own, so that a job is picked up as soon as it comes.
 * As Bull does, the read moves the job to `active` in the same step.
 */
export class JobArrivals {
  private connection: RedisClient | undefined;
  /** The server's number of the connection, by which a read can be ended. */
  private connectionId: number | undefined;
  private waiting: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: QueueKeys,
    /** Gets the id of a job that stands in `active` without a lock; undefined when none came. */
    private readonly onArrival: (id: string | undefined) => void,
  ) {}

  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** Begins to wait, unless it does already. */
  wait(): void {
    if (this.isStopped) return;
    this.waiting ??= this.read().then((id) => {
      this.waiting = undefined;
      this.onArrival(id);
    });
  }

  /** Ends a wait without losing a job that comes at the same moment. */
  async stop(): Promise<void> {
    this.isStopped = true;
    const { connection, connectionId } = this;
    if (!connection) return;
    if (this.waiting) {
      // Closing the socket could lose a job that the server is about to answer with.
      const unblocked =
        connectionId !== undefined &&
        (await this.connections
          .run((client) => client.call('CLIENT', 'UNBLOCK', connectionId), 500)
          .then(
            () => true,
            () => false,
          ));
      if (!unblocked) connection.disconnect();
      await this.waiting;
    }
    connection.disconnect();
  }

  private async read(): Promise<string | undefined> {
    const connection = (this.connection ??= this.open());
    // A half-open connection never answers: it is dropped, and ioredis makes a new one.
    const timer = setTimeout(() => connection.disconnect(true), BLOCK_SECONDS * 1_000 + REPLY_MARGIN);
    try {
      const { base } = this.keys;
      return (await connection.brpoplpush(`${base}wait`, `${base}active`, BLOCK_SECONDS)) ?? undefined;
    } catch {
      // Outages are logged where they are noticed first: by the connections.
      if (!this.isStopped) await new Promise((resolve) => setTimeout(resolve, READ_AGAIN));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private open(): RedisClient {
    const connection = this.connections.open('bclient');
    // The name is the one by which Bull's getWorkers() finds workers.
    const name = `${this.keys.prefix}:${Buffer.from(this.keys.queue).toString('base64')}`;
    const introduce = (): void => {
      this.connectionId = undefined;
      if (connection.isCluster) return;
      void connection.call('CLIENT', 'ID').then((id) => (this.connectionId = Number(id)), ignore);
      void connection.call('CLIENT', 'SETNAME', name).then(ignore, ignore);
    };
    connection.on('ready', introduce);
    return connection;
  }
}

/** A server may forbid these commands to this user; both are a convenience. */
function ignore(): void {}
