import { describe, expect, it, vi } from 'vitest';
import { backoffDelay, type BackoffRule } from '../../../lib/runner/backoff.js';
import type { Duration } from '../../../lib/contracts/duration.js';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';

const EXPONENTIAL = { type: 'exponential', delay: 1_000, factor: 2, max: 10_000, jitter: 0 } as const;
const FIXED = { type: 'fixed', delay: 500, factor: 1, max: Number.MAX_SAFE_INTEGER, jitter: 0 } as const;
const MIDDLE = () => 0.5;
const SOON: Duration = JSON.parse('"soon"');
const [NOTHING]: Duration[] = [];

const negative = () => -1;

const throwing = () => {
  throw new Error('no config');
};

function delays(rule: BackoffRule, attempts: number[], random = MIDDLE) {
  return attempts.map((attempt) =>
    backoffDelay([rule], { attempt, error: new Error('no') }, random, (problem) => {
      throw problem;
    }),
  );
}

describe('backoffDelay', () => {
  it('multiplies an exponential delay by its factor up to its maximum', () => {
    expect(delays(EXPONENTIAL, [1, 2, 3, 4, 5, 60])).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('waits the same each time when fixed', () => {
    expect(delays(FIXED, [1, 2, 30])).toEqual([500, 500, 500]);
  });

  it('spreads by the jitter to both sides', () => {
    const jittered = { ...EXPONENTIAL, jitter: 0.2 };
    expect(delays(jittered, [2], () => 0)).toEqual([1_600]);
    expect(delays(jittered, [2], () => 0.5)).toEqual([2_000]);
    expect(delays(jittered, [2], () => 0.999_999)).toEqual([2_400]);
  });

  it('is never negative, with a full jitter either', () => {
    expect(delays({ ...EXPONENTIAL, jitter: 1 }, [1], () => 0)).toEqual([0]);
  });

  it('answers whole milliseconds', () => {
    expect(delays({ ...EXPONENTIAL, delay: 1.4, factor: 1.5 }, [1, 2])).toEqual([1, 2]);
    expect(delays(() => 2.6, [1])).toEqual([3]);
  });

  it('stays finite however many attempts were made', () => {
    expect(delays(EXPONENTIAL, [5_000])).toEqual([10_000]);
    expect(delays({ ...EXPONENTIAL, delay: 0 }, [5_000])).toEqual([0]);
  });

  it('gives a function the attempt and the error, and reads the duration that it answers', () => {
    const rule = vi.fn(() => '5s' as const);
    const error = new Error('no');
    expect(backoffDelay([rule], { attempt: 4, error }, MIDDLE, vi.fn())).toBe(5_000);
    expect(rule).toHaveBeenCalledWith(4, error);
  });

  it('gives a function an Error also where something else was thrown', () => {
    const rule = vi.fn((_attempt: number, _error: Error) => 0);
    backoffDelay([rule], { attempt: 1, error: 'plain text' }, MIDDLE, vi.fn());
    const given = rule.mock.calls[0][1];
    expect(given).toBeInstanceOf(Error);
    expect(given.message).toBe('plain text');
  });

  it.each([
    ['throws', throwing],
    ['answers a negative number', negative],
    ['answers NaN', () => Number.NaN],
    ['answers text that is no duration', () => SOON],
    ['answers nothing', () => NOTHING],
  ])('passes over a function that %s, and reports it', (_what, broken) => {
    const report = vi.fn();
    expect(backoffDelay([broken, EXPONENTIAL], { attempt: 3, error: new Error('no') }, MIDDLE, report)).toBe(4_000);
    expect(report).toHaveBeenCalledTimes(1);
    expect(report.mock.calls[0][0]).toBeInstanceOf(Error);
  });

  it('grows from 1 s where the default function does not work either', () => {
    const report = vi.fn();
    expect(backoffDelay([negative, negative], { attempt: 2, error: new Error('no') }, MIDDLE, report)).toBe(2_000);
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.any(InvalidOptionsError));
  });
});
