import { describe, expect, it } from 'vitest';
import { toMilliseconds, type Duration } from '../../../lib/contracts/duration.js';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';

describe('toMilliseconds', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ] satisfies [Duration, number][])('reads %j as %d ms', (duration, milliseconds) => {
    expect(toMilliseconds(duration, 'delay')).toBe(milliseconds);
  });

  it.each([-1, NaN, Infinity, '', '5', '5 m', '-5s', '1y', 'soon', null, undefined, {}, true])(
    'refuses %j',
    (value) => {
      expect(() => toMilliseconds(value as Duration, 'delay')).toThrow(InvalidOptionsError);
    },
  );

  it('names the option, the value and the way to write it', () => {
    expect(() => toMilliseconds('soon' as Duration, 'delay')).toThrow(/^delay is 'soon', which is no duration.*'30s'/);
  });
});
