import { describe, expect, it } from 'vitest';
import type { CronFields } from '../../../lib/contracts/schedule.js';
import { compileRule } from '../../../lib/schedules/compile-rule.js';

/** Situations of the test suites of ARQ and Celery, told in our words. */
const next = (cron: string | CronFields, from: string, timeZone?: string): string | undefined =>
  show(compileRule({ cron, timeZone }, 'test').next(Date.parse(`${from}Z`)));

const show = (instant: number | undefined): string | undefined =>
  instant === undefined ? undefined : new Date(instant).toISOString().slice(0, 19);

describe('the next tick, in the situations of ARQ', () => {
  it.each([
    [{ second: 20 }, '2016-06-01T12:10:10', '2016-06-01T12:10:20'],
    [{ minute: 11 }, '2016-06-01T12:10:10', '2016-06-01T12:11:00'],
    [{ minute: 10, second: 20 }, '2016-06-01T12:10:10', '2016-06-01T12:10:20'],
    [{ minute: 10, second: 20 }, '2016-06-01T12:10:20', '2016-06-01T13:10:20'],
    [{ month: 6, day: 1, hour: 12, minute: 10, second: 10 }, '2016-06-01T12:10:11', '2017-06-01T12:10:10'],
    [{ day: 1, hour: 12, minute: 10, second: 10 }, '2016-06-01T12:10:10.001', '2016-07-01T12:10:10'],
    [{ day: 28 }, '2032-01-31T00:00:00', '2032-02-28T00:00:00'],
    [{ hour: 4 }, '2032-01-01T00:05:00', '2032-01-01T04:00:00'],
    [{ hour: 4, minute: [2, 4, 6] }, '2032-01-01T00:00:00', '2032-01-01T04:02:00'],
    [{ hour: 4, minute: [2, 4, 6] }, '2032-01-01T04:02:00', '2032-01-01T04:04:00'],
    [{ day: 31 }, '2032-02-05T00:00:00', '2032-03-31T00:00:00'],
    [{ weekday: 'Sun' }, '2001-01-01T00:00:00', '2001-01-07T00:00:00'],
    [{ weekday: 0 }, '2001-01-01T00:00:00', '2001-01-07T00:00:00'],
    [{ weekday: 7 }, '2001-01-01T00:00:00', '2001-01-07T00:00:00'],
    [{ weekday: 'wed' }, '2001-01-01T00:00:00', '2001-01-03T00:00:00'],
    [{ weekday: 'tues', minute: 59 }, '2032-03-24T05:00:00', '2032-03-30T00:59:00'],
    [{ month: 11, weekday: 3 }, '2001-01-01T00:00:00', '2001-11-07T00:00:00'],
    [{ month: 11, weekday: 3 }, '2001-11-28T00:00:00', '2002-11-06T00:00:00'],
    [{ second: 28 }, '2023-01-01T01:58:29', '2023-01-01T01:59:28'],
    [{ hour: 3 }, '2031-12-31T08:00:00', '2032-01-01T03:00:00'],
    [{ day: 31, minute: 59 }, '2032-01-31T01:00:00', '2032-03-31T00:59:00'],
    [{ day: 13, weekday: 'fri' }, '2032-02-13T00:00:00', '2032-08-13T00:00:00'],
    [{ month: 10, day: 4, hour: 23 }, '2032-01-01T00:00:00', '2032-10-04T23:00:00'],
    [{ month: 1, day: 1, hour: 0, minute: 0, second: 0 }, '2000-12-31T23:59:59', '2001-01-01T00:00:00'],
  ] satisfies [CronFields, string, string][])('of %j after %s is %s', (fields, from, expected) => {
    expect(next(fields, from)).toBe(expected);
  });

  it('goes by the clock of the zone', () => {
    expect(next({ hour: 4 }, '2032-01-01T00:30:00', 'Etc/GMT-3')).toBe('2032-01-01T01:00:00');
    expect(next({ weekday: 'sun' }, '2001-01-06T20:00:00', 'Etc/GMT-3')).toBe('2001-01-06T21:00:00');
  });
});

describe('the next tick, in the situations of Celery', () => {
  it.each([
    [{ minute: '*' }, '2010-09-11T14:30:15', '2010-09-11T14:31:00'],
    [{ minute: '*' }, '2010-09-11T14:59:15', '2010-09-11T15:00:00'],
    [{ minute: [5, 42] }, '2010-09-11T14:30:15', '2010-09-11T14:42:00'],
    [{ minute: [5, 10, 15] }, '2010-09-11T14:30:15', '2010-09-11T15:05:00'],
    [{ minute: [5, 42], hour: [12, 17] }, '2010-09-11T14:30:15', '2010-09-11T17:05:00'],
    [{ minute: [5, 42], hour: [12] }, '2010-09-11T14:30:15', '2010-09-12T12:05:00'],
    [{ minute: 30, hour: 14, weekday: 'sat' }, '2010-09-11T14:30:15', '2010-09-18T14:30:00'],
    [{ minute: [5, 42], hour: '*', weekday: 'mon-fri' }, '2010-09-11T14:30:15', '2010-09-13T00:05:00'],
    [{ minute: 30, hour: 14, day: 18 }, '2010-09-11T14:30:15', '2010-09-18T14:30:00'],
    [{ minute: [5, 42], hour: '*', day: 29 }, '2010-01-22T14:30:15', '2010-01-29T00:05:00'],
    [{ minute: 30, hour: 14, weekday: 'mon', day: 18 }, '2010-01-18T14:30:15', '2010-10-18T14:30:00'],
    [{ minute: [5, 42], hour: '*', weekday: 'sat', day: 29 }, '2010-01-29T00:05:15', '2010-05-29T00:05:00'],
    [{ minute: [5, 42], hour: '*', weekday: 'mon', day: 18 }, '2010-01-11T00:05:15', '2010-01-18T00:05:00'],
    [{ minute: [5, 42], hour: '*', weekday: 'mon', day: 18 }, '2010-01-10T00:05:15', '2010-01-18T00:05:00'],
    [{ minute: 30, hour: 14, day: 29 }, '2012-01-29T14:30:15', '2012-02-29T14:30:00'],
    [{ minute: 30, hour: 14, day: 29 }, '2010-01-29T14:30:15', '2010-03-29T14:30:00'],
    [{ minute: 30, hour: 14, weekday: 'fri', day: 29, month: 1 }, '2010-01-22T14:30:15', '2010-01-29T14:30:00'],
    [
      { minute: [5, 42], hour: '*', weekday: 'wed,thu', day: 29, month: '1,4,7' },
      '2010-01-29T14:30:15',
      '2010-04-29T00:05:00',
    ],
    [{ minute: 30, hour: 14, weekday: 'fri', day: 29, month: '1-10' }, '2010-01-29T14:30:15', '2010-10-29T14:30:00'],
    [
      { minute: [5, 42], hour: '*', weekday: 'fri', day: 29, month: '2-10' },
      '2010-01-29T14:30:15',
      '2010-10-29T00:05:00',
    ],
    [
      { minute: [5, 42], hour: '*', weekday: 'mon', day: 18, month: '2-10' },
      '2010-01-11T00:05:15',
      '2010-10-18T00:05:00',
    ],
    [
      { minute: [5, 42], hour: '*', weekday: 'mon', day: 29, month: '2-4' },
      '2010-01-29T00:05:15',
      '2010-03-29T00:05:00',
    ],
    [
      { minute: [5, 42], hour: '*', weekday: 'mon', day: 29, month: '2-4' },
      '2010-02-28T00:05:15',
      '2010-03-29T00:05:00',
    ],
    [
      { minute: [5, 42], hour: '*', weekday: 'fri,sat', day: 29, month: '2-10' },
      '2010-01-28T14:30:15',
      '2010-05-29T00:05:00',
    ],
    [{ minute: 30, hour: 14, day: 29, month: 2 }, '2012-02-29T14:30:00', '2016-02-29T14:30:00'],
  ] satisfies [CronFields, string, string][])('of %j after %s is %s', (fields, from, expected) => {
    expect(next(fields, from)).toBe(expected);
  });

  it('is at the same time of day on the days when the clock of Paris changes', () => {
    expect(next('0 9 * * *', '2017-10-28T07:00:00', 'Europe/Paris')).toBe('2017-10-29T08:00:00');
    expect(next('0 9 * * *', '2017-03-25T08:00:00', 'Europe/Paris')).toBe('2017-03-26T07:00:00');
  });

  const hourly = '30 * * * *';
  const quarterly = '*/15 * * * *';
  const daily = '30 7 * * *';
  const weekly = { minute: 30, hour: 7, weekday: 'thursday' };
  const monthly = { minute: 30, hour: 7, weekday: 'thursday', day: '8-14' };
  const february = { minute: '*', hour: 22, day: '26,27,28', month: 2 };
  const yearly = { minute: 30, hour: 7, weekday: 'thursday', day: '8-14', month: 3 };
  it.each([
    [hourly, '2010-05-10T06:30', '2010-05-10T10:30', true, '2010-05-10T11:30'],
    [hourly, '2010-05-10T09:30', '2010-05-10T10:29', false, '2010-05-10T10:30'],
    [quarterly, '2010-05-10T06:30', '2010-05-10T10:15', true, '2010-05-10T10:30'],
    [quarterly, '2010-05-10T06:30', '2010-05-10T10:30', true, '2010-05-10T10:45'],
    [quarterly, '2010-05-10T10:00', '2010-05-10T10:14', false, '2010-05-10T10:15'],
    [quarterly, '2010-05-10T10:15', '2010-05-10T10:29', false, '2010-05-10T10:30'],
    [daily, '2010-05-09T07:30', '2010-05-10T07:30', true, '2010-05-11T07:30'],
    [daily, '2010-05-10T07:30', '2010-05-10T10:30', false, '2010-05-11T07:30'],
    [weekly, '2010-04-30T07:30', '2010-05-06T07:30', true, '2010-05-13T07:30'],
    [weekly, '2010-05-06T07:30', '2010-05-07T10:30', false, '2010-05-13T07:30'],
    [monthly, '2010-04-08T07:30', '2010-05-13T07:30', true, '2010-06-10T07:30'],
    [monthly, '2010-04-08T07:30', '2010-05-09T10:30', false, '2010-05-13T07:30'],
    [february, '2013-07-04T10:00', '2014-02-26T22:00', true, '2014-02-26T22:01'],
    [february, '2013-06-28T22:14', '2014-02-26T21:00', false, '2014-02-26T22:00'],
    [yearly, '2009-03-12T07:30', '2010-03-11T07:30', true, '2011-03-10T07:30'],
    [yearly, '2009-03-12T07:30', '2010-03-07T10:30', false, '2010-03-11T07:30'],
  ] as const)('%j that ran at %s is asked at %s: due is %s, the next at %s', (cron, lastRun, now, isDue, following) => {
    const rule = compileRule({ cron }, 'test');
    expect(rule.latest(Date.parse(`${now}Z`))! > Date.parse(`${lastRun}Z`)).toBe(isDue);
    expect(show(rule.next(Date.parse(`${now}Z`)))).toBe(`${following}:00`);
  });
});

describe('the next tick', () => {
  it.each([
    ['0 0 31 2 1', '2026-01-30T00:00', '2026-02-02T00:00:00'],
    ['0 0 31 4,5 *', '2026-04-01T00:00', '2026-05-31T00:00:00'],
    ['0 0 13 * fri', '2026-02-01T00:00', '2026-02-06T00:00:00'],
    ['0 0 13 * fri', '2026-02-07T00:00', '2026-02-13T00:00:00'],
    ['0 0 1-31 * 1', '2026-02-04T00:00', '2026-02-05T00:00:00'],
    ['0 0 L * *', '2026-02-01T00:00', '2026-02-28T00:00:00'],
    ['0 0 LW * *', '2026-02-01T00:00', '2026-02-27T00:00:00'],
    ['0 0 1W * *', '2026-07-31T12:00', '2026-08-03T00:00:00'],
    ['0 0 31W 5 *', '2026-05-01T00:00', '2026-05-29T00:00:00'],
    ['0 0 15W * *', '2026-02-01T00:00', '2026-02-16T00:00:00'],
    ['0 0 * * fri#2', '2026-02-01T00:00', '2026-02-13T00:00:00'],
    ['0 0 * * 5#5', '2026-02-01T00:00', '2026-05-29T00:00:00'],
    ['0 0 * * friL', '2026-02-01T00:00', '2026-02-27T00:00:00'],
    ['0 0 29 2 *', '2096-03-01T00:00', '2104-02-29T00:00:00'],
    [{ month: 2, day: 29, weekday: 'mon' }, '2072-03-01T00:00', '2112-02-29T00:00:00'],
    ['@hourly', '2026-12-31T23:59:59.999', '2027-01-01T00:00:00'],
    ['* * * * * *', '2026-12-31T23:59:58.001', '2026-12-31T23:59:59'],
  ] as const)('of %j after %s is %s', (cron, from, expected) => {
    expect(next(cron, from)).toBe(expected);
  });
});
