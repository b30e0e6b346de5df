import type { EngineUnavailableError } from '../../contracts/errors.js';
import { startDeadline } from './deadline.js';
import { Outage } from './outage.js';
import { queueKeys, type QueueKeys } from './queue-keys.js';
import type { ConnectionSource } from './redis-client.js';
import { RedisConnections } from './redis-connections.js';
import { ServerCheck } from './server-check.js';

/** Longest time for an answer about the state of things, and how long a good one holds, in ms. */
const ANSWER_WITHIN = 900;
const GOOD_FOR = 500;

export interface RedisServerOptions {
  redis: ConnectionSource;
  prefix: string;
  queues: Iterable<string>;
  /** Longest time to reach Redis, and for the answer to a caller, in ms. */
  commandTimeout: number;
  /** Whether the caller tells of an outage at the start; it is not logged then. */
  failFast?: boolean;
}

/**
 * The Redis of one engine: its connections, the keys of the queues there, and whether it does its part. That is asked
 * when somebody wants to know, and never else.
 */
export class RedisServer {
  readonly connections: RedisConnections;
  /** By queue. */
  readonly keys: ReadonlyMap<string, QueueKeys>;
  private readonly outage: Outage;
  private asking: Promise<string | undefined> | undefined;
  private reachedAt = Number.NEGATIVE_INFINITY;

  constructor({ redis, prefix, queues, commandTimeout, failFast }: RedisServerOptions) {
    this.outage = new Outage(
      () => this.prove(),
      () => void check.run(),
      failFast,
    );
    this.connections = new RedisConnections(redis, commandTimeout, this.outage);
    const { isCluster } = this.connections;
    this.keys = new Map([...queues].map((queue) => [queue, queueKeys(prefix, queue, isCluster)]));
    const check = new ServerCheck(this.connections);
    void check.run();
  }

  /** What is wrong, as a sentence; undefined when all is well. */
  async problem(): Promise<string | undefined> {
    if (this.outage.cause !== undefined) return this.outage.cause;
    if (performance.now() - this.reachedAt < GOOD_FOR) return undefined;
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    let answered: (() => void) | undefined;
    const silence = new Promise<string>((resolve) => {
      answered = startDeadline(ANSWER_WITHIN, () => resolve(`Redis has not answered for ${ANSWER_WITHIN} ms.`));
    });
    const answer = await Promise.race([this.asking, silence]);
    answered?.();
    return this.outage.cause ?? answer;
  }

  /**
   * Writes, and changes nothing: a replica, a server that is full, and one that cannot save its data refuse even that.
   *
   * @throws EngineUnavailableError where one of the servers that keep the queues does
   */
  async prove(): Promise<void> {
    const { connections } = this;
    // One server keeps all queues, or each queue of a cluster may be kept by another.
    const all = [...this.keys.values()];
    const keys = connections.isCluster ? all : all.slice(0, 1);
    await Promise.all(
      keys.map(({ base }) => {
        // No job's key, and never there.
        const key = `${base.slice(0, -1)}-reachable`;
        return connections.run((client) => client.set(key, '', 'XX')).catch(allowForbidden);
      }),
    );
  }

  private async ask(): Promise<string | undefined> {
    try {
      await Promise.all([this.prove(), this.connections.allReady()]);
      this.reachedAt = performance.now();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** A user without this right was known to the server all the same. */
function allowForbidden(error: unknown): void {
  const { cause } = error as EngineUnavailableError;
  if (!(cause instanceof Error && /NOPERM/.test(cause.message))) throw error;
}
