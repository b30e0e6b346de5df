import { describe, expect, it } from 'vitest';
import { findServerProblems } from '../../../lib/engines/bull/server-check.js';

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
