import { describe, expect, it, vi } from 'vitest';
import type { RedisClient } from '../../../lib/engines/bull/redis-client.js';
import type { RedisConnections } from '../../../lib/engines/bull/redis-connections.js';
import { findServerProblems, ServerCheck } from '../../../lib/engines/bull/server-check.js';

const info = (version: string, policy: string): string =>
  `# Server\r\nredis_version:${version}\r\nos:Linux\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n`;

describe('the check of the server', () => {
  it.each(['6.2.0', '6.2.14', '7.0.15', '8.0.1'])('finds nothing wrong with version %s', (version) => {
    expect(findServerProblems(info(version, 'noeviction'))).toEqual([]);
  });

  it.each(['5.0.7', '6.0.16'])('warns of version %s', (version) => {
    expect(findServerProblems(info(version, 'noeviction'))).toEqual([expect.stringContaining('6.2 or newer')]);
  });

  it('warns of a server that evicts keys, and tells the fix', () => {
    expect(findServerProblems(info('7.0.15', 'allkeys-lru'))).toEqual([
      expect.stringMatching(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/s),
    ]);
  });

  it('says nothing about what a server does not tell', () => {
    expect(findServerProblems('# Server\r\n')).toEqual([]);
  });
});

describe('a server check', () => {
  it('asks every master of a cluster, and tells each problem once, however often it is run', async () => {
    const policies = ['noeviction', 'allkeys-lru', 'allkeys-lru'];
    const masters = policies.map((policy) => ({ info: () => Promise.resolve(info('7.0.15', policy)) }));
    const cluster = { isCluster: true, nodes: vi.fn(() => masters) };
    const connections = { run: <T>(ask: (client: RedisClient) => T): T => ask(cluster as never) };
    const logger = { warn: vi.fn() };
    const check = new ServerCheck(connections as unknown as RedisConnections, logger as never);
    await check.run();
    await check.run();
    expect(cluster.nodes).toHaveBeenCalledWith('master');
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('allkeys-lru'));
    masters[0].info = () => Promise.resolve(info('7.0.15', 'volatile-ttl'));
    await check.run();
    expect(logger.warn).toHaveBeenCalledTimes(2);
  });
});
