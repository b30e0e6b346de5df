import { describe, expect, it } from 'vitest';
import { startNode } from '../support/child.js';

/** Compiling included. */
const WITHIN = 90_000;

describe('The chaos suite', () => {
  it(
    'reports lost jobs and fails when workers do not look for those of dead processes',
    async () => {
      const suite = startNode('test/chaos/start.mjs', {
        args: ['--quick', '--only', '^kills$', '--no-recovery', '--seed', '1'],
      });
      try {
        expect(await suite.ended(WITHIN)).toBe(1);
        expect(suite.output).toMatch(/FAILED {2}kills: of them lost: [1-9]\d*, promised 0/);
        expect(suite.output).toMatch(/FAILED {2}kills: not completed at the end: [1-9]\d*, promised 0/);
        expect(suite.output).toContain('npm run chaos -- --quick --no-recovery');
      } finally {
        await suite.kill('SIGTERM');
      }
    },
    WITHIN + 10_000,
  );
});
