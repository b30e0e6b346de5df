import { describe, expect, it } from 'vitest';
import type { ScheduleTime } from '../../../lib/contracts/schedule.js';
import { compileRule } from '../../../lib/schedules/compile-rule.js';
import { ticksBetween, withinBounds } from '../../../lib/schedules/schedule-rule.js';
import { ticks } from '../../../lib/schedules/ticks.js';

const SECOND = 1000;

describe('a rule', () => {
  it.each([
    [{ cron: '0 2 * * *' }, '0 2 * * *', 'UTC'],
    [{ cron: { hour: 2 }, timeZone: 'Europe/Paris' }, '{"hour":2}', 'Europe/Paris'],
    [{ cron: '@daily', timeZone: 'europe/PARIS' }, '@daily', 'europe/PARIS'],
    [{ every: '90s' }, '90s', 'UTC'],
    [{ every: 1500 }, '1500ms', 'UTC'],
  ] satisfies [ScheduleTime, string, string][])('of %j says %j in %s', (time, when, timeZone) => {
    expect(compileRule(time, 'test')).toMatchObject({ when, timeZone });
  });

  it.each([
    [{ cron: '0 25 * * *' }, `test: cron '0 25 * * *': hour 25 is out of range 0-23.`],
    [{ cron: { hour: 25 } }, `test: cron: hour 25 is out of range 0-23.`],
    [{ cron: '' }, `test: cron '' has 0 fields.`],
    [{ cron: '0 0 30 2 *' }, `test: cron '0 0 30 2 *' would never be due: no month of it has such a day.`],
    [{ cron: '0 0 31 4,6,9,11 *' }, 'would never be due'],
    [{ cron: '0 0 31W 4 *' }, 'would never be due'],
    [{ cron: { month: 2, day: 30 } }, `test: cron {"month":2,"day":30} would never be due`],
    [{ cron: { month: 2, day: 31, weekday: 1 } }, 'would never be due'],
    [{ cron: { day: 31, weekday: '1#1' } }, 'would never be due'],
    [{ cron: '* * * * *', timeZone: 'Europe/Pariss' }, `no time zone. Did you mean 'Europe/Paris'?`],
    [{ cron: '* * * * *', timeZone: 'Mars' }, `test: timeZone is 'Mars', which is no time zone.`],
    [{ cron: '* * * * *', timeZone: '' }, `test: timeZone is ''. Give an IANA name`],
    [{ every: 0 }, 'test: every is 0. Give a duration from 1 ms to 100 years'],
    [{ every: -5 }, 'test: every is -5, which is no duration.'],
    [{ every: Infinity }, 'test: every is Infinity, which is no duration.'],
    [{ every: NaN }, 'test: every is NaN, which is no duration.'],
    [{ every: Number.MAX_VALUE }, 'Give a duration from 1 ms to 100 years'],
    [{ every: '90s', timeZone: 'UTC' }, 'test has a timeZone beside every.'],
    [{ every: '90s', cron: '* * * * *' }, 'test has both cron and every.'],
    [{}, 'test has neither cron nor every.'],
    [{ cron: '* * * * *', timezone: 'UTC' }, `test has an unknown field 'timezone'. Did you mean 'timeZone'?`],
    ['* * * * *', `test is '* * * * *'. Give { cron, timeZone } or { every }.`],
  ])('of %j is refused', (time, message) => {
    const compile = (): unknown => compileRule(time as ScheduleTime, 'test');
    expect(compile).toThrow(expect.objectContaining({ code: 'TASKS_INVALID_OPTIONS' }));
    expect(compile).toThrow(message);
  });

  it('refuses what would never be due within 50 ms', () => {
    const start = performance.now();
    expect(() => compileRule({ cron: { month: 2, day: 30, weekday: '1#5' } }, 'test')).toThrow('never');
    expect(performance.now() - start).toBeLessThan(50);
  });

  it.each(['* * * * * *', '0 0 29 2 *', '30 2 * * *'])('%s has ticks from 1900 to 2999 and none outside', (cron) => {
    for (const timeZone of ['UTC', 'America/New_York']) {
      const rule = compileRule({ cron, timeZone }, 'test');
      expect(rule.next(-8.64e15)).toBeGreaterThanOrEqual(Date.UTC(1900, 0, 1));
      expect(rule.latest(8.64e15)).toBeLessThanOrEqual(Date.UTC(3000, 0, 1));
      expect([rule.latest(-8.64e15), rule.next(8.64e15)]).toEqual([undefined, undefined]);
      expect([rule.latest(NaN), rule.next(NaN), rule.next(Infinity)]).toEqual([undefined, undefined, undefined]);
      expect(rule.latest(Infinity)).toBe(rule.latest(8.64e15));
    }
  });
});

describe('an interval', () => {
  const rule = compileRule({ every: '90s' }, 'test');

  it('is counted from the epoch', () => {
    expect([rule.next(0), rule.next(1), rule.next(89_999), rule.next(90_000)]).toEqual([90e3, 90e3, 90e3, 180e3]);
    expect([rule.latest(0), rule.latest(89_999), rule.latest(90_000), rule.latest(-1)]).toEqual([0, 0, 90e3, -90e3]);
  });

  it('may be shorter than a second', () => {
    expect([...ticksBetween(compileRule({ every: 250 }, 'test'), 1000, 2000)]).toEqual([1250, 1500, 1750, 2000]);
  });

  it('ends with the year 2999', () => {
    expect([rule.next(8.64e15), rule.next(Infinity), rule.next(NaN)]).toEqual([undefined, undefined, undefined]);
    expect([rule.latest(-8.64e15), rule.latest(NaN)]).toEqual([undefined, undefined]);
  });
});

describe('the ticks between two instants', () => {
  it('leave the first out and the last in', () => {
    const rule = compileRule({ cron: '* * * * *' }, 'test');
    expect([...ticksBetween(rule, 60 * SECOND, 180 * SECOND)]).toEqual([120 * SECOND, 180 * SECOND]);
    expect([...ticksBetween(rule, 60 * SECOND, 60 * SECOND)]).toEqual([]);
  });
});

describe('bounds', () => {
  const minutes = compileRule({ cron: '* * * * *' }, 'test');
  const at = (minute: number): Date => new Date(minute * 60 * SECOND);
  const minute = (instant: number | undefined): number | undefined => instant && instant / 60 / SECOND;

  it('are both inclusive', () => {
    const rule = withinBounds(minutes, { startAt: at(10), endAt: at(12) }, 'test');
    expect([0, 10, 11, 12].map((from) => minute(rule.next(+at(from))))).toEqual([10, 11, 12, undefined]);
    expect([9, 10, 11.5, 12, 20].map((to) => minute(rule.latest(+at(to))))).toEqual([undefined, 10, 11, 12, 12]);
    expect(rule).toMatchObject({ when: '* * * * *', timeZone: 'UTC' });
  });

  it('may lie between two ticks', () => {
    const rule = withinBounds(minutes, { startAt: at(10.5), endAt: at(11.5) }, 'test');
    expect([minute(rule.next(0)), rule.next(+at(11)), minute(rule.latest(+at(99)))]).toEqual([11, undefined, 11]);
    expect(rule.latest(+at(10.9))).toBe(undefined);
  });

  it('may be absent', () => {
    expect(withinBounds(minutes, {}, 'test')).toBe(minutes);
    expect(minute(withinBounds(minutes, { startAt: at(10) }, 'test').next(0))).toBe(10);
    expect(minute(withinBounds(minutes, { endAt: at(10) }, 'test').latest(Infinity))).toBe(10);
  });

  it('are refused in the wrong order, and when they are no dates', () => {
    expect(() => withinBounds(minutes, { startAt: at(2), endAt: at(1) }, 'test')).toThrow(
      'test: endAt is before startAt. It would never be due.',
    );
    expect(() => withinBounds(minutes, { startAt: new Date(NaN) }, 'test')).toThrow('test: startAt is Date.');
    expect(() => withinBounds(minutes, { endAt: '2026-01-01' as unknown as Date }, 'test')).toThrow(
      `test: endAt is '2026-01-01'. Give a valid Date.`,
    );
  });
});

describe('ticks()', () => {
  const from = new Date('2026-11-27T12:00:00Z');

  it('answers the next due instants, strictly after the given one', () => {
    expect(ticks({ cron: '0 */6 * * *' }, from, 2)).toEqual([
      new Date('2026-11-27T18:00:00Z'),
      new Date('2026-11-28T00:00:00Z'),
    ]);
    expect(ticks({ every: '1h' }, from, 1)).toEqual([new Date('2026-11-27T13:00:00Z')]);
  });

  it('answers fewer where the calendar has no more', () => {
    const years = ticks({ cron: '@yearly' }, from, 10_000);
    expect([years.length, years.at(-1)]).toEqual([974, new Date('3000-01-01T00:00:00Z')]);
  });

  it('refuses what it cannot answer', () => {
    expect(() => ticks({ cron: '61 * * * *' }, from, 1)).toThrow(
      `ticks(): cron '61 * * * *': minute 61 is out of range 0-59.`,
    );
    expect(() => ticks({ every: '1h' }, new Date(NaN), 1)).toThrow('ticks(): from is Date. Give a valid Date.');
    for (const count of [0, -1, 1.5, NaN, Infinity, 10_001, '3' as unknown as number]) {
      expect(() => ticks({ every: '1h' }, from, count)).toThrow('Give a whole number from 1 to 10000.');
    }
  });
});
