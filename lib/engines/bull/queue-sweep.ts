import type { FailedRetention } from '../../contracts/outcome.js';
import type { QueueKeys } from './queue-keys.js';
import { WORK_TIMEOUT, type RedisConnections } from './redis-connections.js';
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
    const more = await connections.run(
      (client) => runScript<number>(client, 'sweep', `${base}kept`, args),
      WORK_TIMEOUT,
    );
    hasMore = more === 1;
  }
}
