import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredBackoff } from '../../../lib/contracts/job.js';
import { backoffDelay, type BackoffRule } from '../../../lib/runner/backoff.js';

const rules: fc.Arbitrary<StoredBackoff> = fc.record({
  type: fc.constantFrom('fixed', 'exponential'),
  delay: fc.integer({ min: 0, max: 1e9 }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  max: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const attempts = fc.integer({ min: 1, max: 5_000 });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function delayOf(rule: BackoffRule, attempt: number, random: number, problems: unknown[] = []): number {
  const failed = { attempt, error: new Error('Boom.') };
  return backoffDelay(
    [rule],
    failed,
    () => random,
    (problem) => problems.push(problem),
  );
}

describe('the wait before an attempt, of any rule', () => {
  it('is whole milliseconds, neither negative nor no number, and around its maximum at most', () => {
    fc.assert(
      fc.property(rules, attempts, chance, (rule, attempt, random) => {
        const problems: unknown[] = [];
        const delay = delayOf(rule, attempt, random, problems);
        expect(problems).toEqual([]);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.ceil(rule.max * (1 + rule.jitter)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never shrinks from attempt to attempt where there is no jitter', () => {
    fc.assert(
      fc.property(rules, attempts, (rule, attempt) => {
        const steady = { ...rule, jitter: 0 };
        expect(delayOf(steady, attempt + 1, 0.5)).toBeGreaterThanOrEqual(delayOf(steady, attempt, 0.5));
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays within its jitter', () => {
    fc.assert(
      fc.property(rules, attempts, chance, (rule, attempt, random) => {
        const middle = delayOf({ ...rule, jitter: 0 }, attempt, 0.5);
        const delay = delayOf(rule, attempt, random);
        // Both are rounded.
        expect(delay).toBeGreaterThanOrEqual(Math.floor((middle - 1) * (1 - rule.jitter)) - 1);
        expect(delay).toBeLessThanOrEqual(Math.ceil((middle + 1) * (1 + rule.jitter)) + 1);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one whatever a function answers or throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.boolean(), attempts, chance, (answer, throws, attempt, random) => {
        const rule = (): never => {
          if (throws) throw answer;
          return answer as never;
        };
        const delay = delayOf(rule, attempt, random);
        expect(Number.isFinite(delay) && delay >= 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
