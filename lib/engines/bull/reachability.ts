import type { EngineUnavailableError } from '../../contracts/errors.js';
import { startDeadline } from './deadline.js';
import type { Outage } from './outage.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisConnections } from './redis-connections.js';

/** Longest time for an answer about the state of things, and how long a good one holds, in ms. */
const ANSWER_WITHIN = 900;
const GOOD_FOR = 500;

/** Whether Redis can be reached and lets jobs be written. It is asked when somebody wants to know, and never else. */
export class Reachability {
  private asking: Promise<string | undefined> | undefined;
  private reachedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly connections: RedisConnections,
    private readonly outage: Outage,
    private readonly keys: readonly QueueKeys[],
  ) {}

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
    const keys = connections.isCluster ? this.keys : this.keys.slice(0, 1);
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
