import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileRule } from '../../../lib/schedules/compile-rule.js';
import { ticksBetween } from '../../../lib/schedules/schedule-rule.js';
import { ticks } from '../../../lib/schedules/ticks.js';
import { readClock, toCron, walk, type WalkedFields } from './wall-walk.js';

const HOUR = 3_600_000;

/** A change of a clock, and the instant at which it is. */
const NIGHTS: readonly [string, string, string][] = [
  ['UTC', 'a night like any other', '2026-03-29T01:00Z'],
  ['America/New_York', 'an hour is left out', '2026-03-08T07:00Z'],
  ['America/New_York', 'an hour comes twice', '2026-11-01T06:00Z'],
  ['Europe/Paris', 'an hour is left out', '2026-03-29T01:00Z'],
  ['Europe/Paris', 'an hour comes twice', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', 'half an hour comes twice', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', 'half an hour is left out', '2026-10-03T15:30Z'],
  ['America/Sao_Paulo', 'midnight is left out', '2018-11-04T03:00Z'],
  ['America/Sao_Paulo', 'the hour before midnight comes twice', '2018-02-18T02:00Z'],
  ['Africa/Casablanca', 'Ramadan begins, an hour comes twice', '2026-02-15T02:00Z'],
  ['Africa/Casablanca', 'Ramadan is over, an hour is left out', '2026-03-22T02:00Z'],
  ['Europe/Dublin', 'an hour is left out', '2026-03-29T01:00Z'],
  ['Europe/Dublin', 'an hour comes twice', '2026-10-25T01:00Z'],
  ['Antarctica/Troll', 'two hours are left out', '2026-03-29T01:00Z'],
  ['Antarctica/Troll', 'two hours come twice', '2026-10-25T01:00Z'],
  ['America/Havana', 'midnight is left out', '2026-03-08T05:00Z'],
  ['Asia/Tehran', 'midnight is left out', '2022-03-21T20:30Z'],
  ['Pacific/Apia', 'a whole day is left out', '2011-12-30T10:00Z'],
];

const EVEN_HOURS = Array.from({ length: 12 }, (_, index) => index * 2);
const QUARTERS = [0, 15, 30, 45];

const SCHEDULES: readonly WalkedFields[] = [
  ...[0, 1, 2, 3, 23].flatMap((hour) => [0, 15, 30, 59].map((minute) => ({ minute: [minute], hour: [hour] }))),
  { minute: [0] },
  { minute: [30] },
  { minute: QUARTERS },
  {},
  { minute: QUARTERS, hour: [0, 1, 2, 3] },
  { minute: [30], hour: [1, 2, 3] },
  { minute: [0], hour: EVEN_HOURS },
  { hour: [2] },
  { minute: [30], hour: [0, 2], weekday: [0] },
  { minute: [10], weekday: [0, 1] },
  { minute: [30], hour: [2], day: [29], weekday: [0] },
  { minute: [20, 40], day: [1, 8, 25, 30] },
];

describe.each(NIGHTS)('in %s, where %s (%s)', (timeZone, _what, change) => {
  const night = readClock(timeZone, Date.parse(change) - 30 * HOUR, Date.parse(change) + 30 * HOUR);

  it.each(SCHEDULES.map((fields) => [toCron(fields), fields] as const))(
    '%s is due as a walk finds it',
    (cron, fields) => {
      const rule = compileRule({ cron, timeZone }, 'test');
      const due = walk(night, fields);
      expect(show(ticksBetween(rule, night.start - 1, night.end))).toEqual(show(due));

      // Asked again from inside the night, between two minutes too, and at the ticks themselves.
      const instants = due.slice(0, 200).flatMap((tick) => [tick - 1, tick]);
      for (let at = Date.parse(change) - 5 * HOUR; at < Date.parse(change) + 5 * HOUR; at += 437_250) instants.push(at);
      const known = instants.filter((at) => at >= due[0] && at < due.at(-1)!);
      const expected = known.map((at) => [at, due.findLast((tick) => tick <= at), due.find((tick) => tick > at)]);
      expect(known.map((at) => [at, rule.latest(at), rule.next(at)])).toEqual(expected);
    },
  );
});

describe('the two nights of New York', () => {
  const dueFrom = (cron: string, from: string, count: number): string[] =>
    show(ticks({ cron, timeZone: 'America/New_York' }, new Date(from), count).map(Number));

  it('are right for a time in the gap, the repeated hour and every quarter', () => {
    expect(dueFrom('30 2 * * *', '2026-03-08T05:00Z', 2)).toEqual(['2026-03-08T07:00Z', '2026-03-09T06:30Z']);
    expect(dueFrom('30 1 * * *', '2026-03-08T05:00Z', 1)).toEqual(['2026-03-08T06:30Z']);
    expect(dueFrom('*/15 * * * *', '2026-03-08T06:30Z', 3)).toEqual([
      '2026-03-08T06:45Z',
      '2026-03-08T07:00Z',
      '2026-03-08T07:15Z',
    ]);
    expect(dueFrom('30 2 * * *', '2026-11-01T04:00Z', 1)).toEqual(['2026-11-01T07:30Z']);
    expect(dueFrom('30 1 * * *', '2026-11-01T04:00Z', 2)).toEqual(['2026-11-01T05:30Z', '2026-11-02T06:30Z']);
    expect(dueFrom('30 1 * * *', '2026-11-01T06:15Z', 1)).toEqual(['2026-11-02T06:30Z']);
    expect(dueFrom('*/15 * * * *', '2026-11-01T05:30Z', 6)).toEqual([
      '2026-11-01T05:45Z',
      '2026-11-01T06:00Z',
      '2026-11-01T06:15Z',
      '2026-11-01T06:30Z',
      '2026-11-01T06:45Z',
      '2026-11-01T07:00Z',
    ]);
  });
});

describe('the two nights in the README', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const table = readme.slice(readme.indexOf('| 8 March: 01:59')).split('\n\n')[0];
  const rows = [...table.matchAll(/^\| `(.+?)` +\|(.+?)\|(.+?)\|$/gm)];

  it('are told for five crons', () => {
    expect(rows).toHaveLength(5);
  });

  it.each(
    rows.flatMap(([, cron, spring, autumn]) => [[cron, '2026-03-08', spring] as const, [cron, '2026-11-01', autumn]]),
  )('have the ticks of %s on %s', (cron, date, told) => {
    const rule = compileRule({ cron, timeZone: 'America/New_York' }, 'test');
    const due = show(ticksBetween(rule, Date.parse(`${date}T05:00Z`), Date.parse(`${date}T09:00Z`)));
    const times = told.match(/\((.+) UTC\)/)![1].match(/\d\d:\d\d/g)!;
    const expected = times.map((time) => `${date}T${time}Z`);
    if (told.includes('…')) expect(due).toEqual(expect.arrayContaining(expected));
    else expect(due).toEqual(expected);
  });
});

describe('a day that Apia never had', () => {
  it('makes its daily time due when the next day begins, together with nothing else', () => {
    const due = ticks({ cron: '30 12 30 12 *', timeZone: 'Pacific/Apia' }, new Date('2011-01-01T00:00Z'), 2);
    expect(show(due.map(Number))).toEqual(['2011-12-30T10:00Z', '2012-12-29T22:30Z']);
  });

  it('leaves out a schedule of every hour', () => {
    const due = ticks({ cron: '30 * 30 12 *', timeZone: 'Pacific/Apia' }, new Date('2011-01-01T00:00Z'), 1);
    expect(show(due.map(Number))).toEqual(['2012-12-29T10:30Z']);
    const rule = compileRule({ cron: '30 * 30 12 *', timeZone: 'Pacific/Apia' }, 'test');
    expect(show([rule.latest(Date.parse('2012-06-01T00:00Z'))!])).toEqual(['2010-12-31T09:30Z']);
  });
});

/** Whole minutes, short. */
function show(instants: Iterable<number>): string[] {
  return [...instants].map((instant) => new Date(instant).toISOString().replace(':00.000Z', 'Z'));
}
