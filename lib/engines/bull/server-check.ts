import { Logger } from '@nestjs/common';
import type { Cluster } from 'ioredis';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';

const OLDEST_VERSION = [6, 2];

/** Warns of servers that could lose jobs or do not know a command that is needed; of each problem once per process. */
export class ServerCheck {
  private readonly told = new Set<string>();

  constructor(
    private readonly connections: RedisConnections,
    private readonly logger = new Logger('BullEngine'),
  ) {}

  /** Done at boot, and after an outage: another server may have taken over. */
  async run(): Promise<void> {
    try {
      const infos = await this.connections.run((client) => Promise.all(mastersOf(client).map((node) => node.info())));
      for (const problem of infos.flatMap(findServerProblems)) {
        if (this.told.has(problem)) continue;
        this.told.add(problem);
        this.logger.warn(problem);
      }
    } catch {
      // Redis is away, which is logged already, or forbids INFO to this user.
    }
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

function mastersOf(client: RedisClient): RedisClient[] {
  return client.isCluster ? (client as Cluster).nodes('master') : [client];
}

function isOlder([major, minor]: readonly number[]): boolean {
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}
