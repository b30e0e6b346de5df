import type { FailedRetention } from '../../contracts/outcome.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisConnections } from './redis-connections.js';
import { keepArguments, runScript } from './scripts.js';

/**
 * Removes finished jobs whose time is over, and ends those that have expired: all there are, in parts.
 *
 * @param keep of expired jobs
 * @param isWanted asked before each part
 */
export async function sweepQueue(
  connections: RedisConnections,
  { base }: QueueKeys,
  keep: FailedRetention,
  isWanted: () => boolean = () => true,
): Promise<void> {
  let hasMore = true;
  while (hasMore && isWanted()) {
    const args = [base, Date.now(), ...keepArguments(keep)];
    const more = await connections.runInBackground((client) => runScript<number>(client, 'sweep', `${base}kept`, args));
    hasMore = more === 1;
  }
}

/** Parts of a queue's keys that are looked at in one go. */
const PARTS_AT_A_TIME = 10;

/** Takes away what is left of jobs that are gone, and gives back those that stand nowhere: some of the keys at a time. */
export class QueueTidying {
  private cursor = '0';

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: QueueKeys,
  ) {}

  async goOn(): Promise<void> {
    const { base } = this.keys;
    for (let part = 0; part < PARTS_AT_A_TIME; part++) {
      const args = [base, Date.now(), this.cursor];
      this.cursor = await this.connections.runInBackground((client) =>
        runScript<string>(client, 'tidy', `${base}wait`, args),
      );
      if (this.cursor === '0') return;
    }
  }
}
