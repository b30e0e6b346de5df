import { Logger } from '@nestjs/common';
import type { RedisConnections } from './redis-connections.js';

const OLDEST_VERSION = [6, 2];

/** Warns, once per process, of a server that could lose jobs or does not know a command that is needed. */
export async function checkServer(connections: RedisConnections, logger = new Logger('BullEngine')): Promise<void> {
  try {
    const info = await connections.run((client) => client.info());
    for (const warning of findServerProblems(info)) logger.warn(warning);
  } catch {
    // Redis is away, which is logged already, or forbids INFO to this user.
  }
}

/** What is wrong with a server, by its INFO. */
export function findServerProblems(info: string): string[] {
  const fields = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string]));
  const problems: string[] = [];
  const version = fields.get('redis_version') ?? '';
  if (version && isOlder(version.split('.').map(Number))) {
    problems.push(`Redis ${version} is too old: use ${OLDEST_VERSION.join('.')} or newer.`);
  }
  const policy = fields.get('maxmemory_policy');
  if (policy && policy !== 'noeviction') {
    problems.push(
      `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), which loses jobs. ` +
        `Set it: CONFIG SET maxmemory-policy noeviction, and in redis.conf.`,
    );
  }
  return problems;
}

function isOlder([major, minor]: readonly number[]): boolean {
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}
