import { Cron } from 'croner';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CronFields } from '../../../lib/contracts/schedule.js';
import { Calendar } from '../../../lib/schedules/calendar.js';
import { compileRule } from '../../../lib/schedules/compile-rule.js';
import { parseCron } from '../../../lib/schedules/cron-values.js';
import { ticksBetween } from '../../../lib/schedules/schedule-rule.js';
import { readClock, toCron, walk, type WalkedFields } from './wall-walk.js';

const HOUR = 3_600_000;

const zones = fc.constantFrom(
  'UTC',
  'America/New_York',
  'Europe/Paris',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Kathmandu',
);

/** Instants, half of them near a night on which most clocks change. */
const instants = fc.oneof(
  fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) }),
  fc
    .tuple(
      fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2018-11-04'),
      fc.integer({ min: -30 * HOUR, max: 30 * HOUR }),
    )
    .map(([night, offset]) => Date.parse(night) + offset),
);

/** Text of a field, such as `*`, `5`, `3-9/2`, `1,4,6`. */
const field = (lowest: number, highest: number): fc.Arbitrary<string> => {
  const value = fc.integer({ min: lowest, max: highest });
  return fc.oneof(
    fc.constant('*'),
    value.map(String),
    fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
    fc.tuple(value, value).map(([first, last]) => `${Math.min(first, last)}-${Math.max(first, last)}`),
    fc.integer({ min: 1, max: highest - lowest }).map((step) => `*/${step}`),
  );
};

const cronTexts = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '));

/** As many runs as there is time for. */
const check = <T>(property: fc.IProperty<T>, milliseconds = 1_500): void =>
  fc.assert(property, { numRuns: 1_000, interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false });

describe('any cron in any zone', () => {
  it('has ticks that go up, each the latest one at its own instant', () => {
    check(
      fc.property(cronTexts, zones, instants, (cron, timeZone, from) => {
        const rule = compileRule({ cron, timeZone }, 'test');
        let tick = from;
        for (let count = 0; count < 10; count += 1) {
          const next = rule.next(tick)!;
          expect(next).toBeGreaterThan(tick);
          expect(next % 1000).toBe(0);
          expect(rule.latest(next)).toBe(next);
          if (count > 0) expect(rule.latest(next - 1)).toBe(tick);
          tick = next;
        }
      }),
    );
  });

  it('has as latest tick the one before the next one', () => {
    check(
      fc.property(cronTexts, zones, instants, (cron, timeZone, at) => {
        const rule = compileRule({ cron, timeZone }, 'test');
        const latest = rule.latest(at)!;
        expect(latest).toBeLessThanOrEqual(at);
        expect(rule.next(latest - 1)).toBe(latest);
        expect(rule.next(latest)).toBe(rule.next(at));
      }),
    );
  });

  it('is due at times that it names, save where the clock jumps', () => {
    check(
      fc.property(cronTexts, zones, instants, (cron, timeZone, from) => {
        const tick = compileRule({ cron, timeZone }, 'test').next(from)!;
        const shown = wallOf(tick, timeZone);
        if (shown - wallOf(tick - 1000, timeZone) > 1000) return;
        expect(new Calendar(parseCron(cron, 'test')).after(shown - 1000)).toBe(shown);
      }),
    );
  });

  it('misses no tick that a walk over real time meets, and has no other', () => {
    const minute = fc.integer({ min: 0, max: 59 });
    const hour = fc.integer({ min: 0, max: 23 });
    const some = (value: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
      fc.uniqueArray(value, { minLength: 1, maxLength: 4 });
    const fields: fc.Arbitrary<WalkedFields> = fc.record(
      { minute: some(minute), hour: some(hour), weekday: some(fc.integer({ min: 0, max: 6 })) },
      { requiredKeys: [] },
    );
    check(
      fc.property(fc.array(fields, { minLength: 10, maxLength: 10 }), zones, instants, (many, timeZone, at) => {
        const start = Math.floor(at / 60_000) * 60_000;
        const night = readClock(timeZone, start, start + 36 * HOUR);
        for (const each of many) {
          const rule = compileRule({ cron: toCron(each), timeZone }, 'test');
          expect([...ticksBetween(rule, start - 1, night.end)]).toEqual(walk(night, each));
        }
      }),
      2_500,
    );
  });
});

describe('any cron on a wall whose clock never changes', () => {
  const day = fc.oneof(field(1, 31), fc.constantFrom('L', 'LW', '15W', '1W', '30W', '1,L', '5,31W'));
  const weekday = fc.oneof(field(0, 7), fc.constantFrom('5L', '1#2', '0#5', '3#1,5', '2#L'));
  const crons = fc.tuple(field(0, 59), field(0, 59), field(0, 23), day, field(1, 12), weekday);

  it('is due when croner finds it due, in both directions', () => {
    check(
      fc.property(crons, fc.boolean(), instants, ([second, minute, hour, day, month, weekday], both, at) => {
        const fields: CronFields = { second, minute, hour, day, month, weekday };
        const text = Object.values(fields).join(' ');
        const wall = Math.floor(at / 1000) * 1000;
        const calendar = new Calendar(parseCron(both ? fields : text, 'test'));
        const croner = new Cron(text, { utcOffset: 0, domAndDow: both, mode: '6-part' });
        const next = calendar.after(wall);
        // croner looks no further than the year 2999.
        if (next === undefined || next < Date.UTC(2999, 0, 1)) {
          expect([text, croner.nextRun(new Date(wall))?.getTime()]).toEqual([text, next]);
        }
        if (next !== undefined) {
          expect([text, croner.previousRuns(1, new Date(wall))[0]?.getTime()]).toEqual([text, calendar.before(wall)]);
        }
      }),
    );
  });
});

function wallOf(instant: number, timeZone: string): number {
  const text = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(instant);
  const [day, month, year, hour, minute, second] = text.split(/\D+/).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
