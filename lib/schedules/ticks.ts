import { expectThat } from '../contracts/checks.js';
import type { ScheduleTime } from '../contracts/schedule.js';
import { compileRule } from './compile-rule.js';

const MOST_TICKS = 10_000;

/**
 * Computes when a schedule is due next. Pure: nothing is scheduled, and the clock is not read.
 *
 * @param from ticks come strictly after it
 * @param count how many, 1 to 10,000; fewer come back only where the calendar has no more before the year 3000
 * @throws InvalidOptionsError when the schedule cannot be read or would never be due, naming the field and its range
 *
 * @example
 * ticks({ cron: '30 2 * * *', timeZone: 'America/New_York' }, new Date('2026-03-08T00:00:00Z'), 2);
 * // 2026-03-08T07:00:00Z (the clock jumps from 02:00 to 03:00), 2026-03-09T06:30:00Z
 */
export function ticks(schedule: ScheduleTime, from: Date, count: number): Date[] {
  const rule = compileRule(schedule, 'ticks()');
  expectThat(from instanceof Date && !Number.isNaN(from.getTime()), 'ticks(): from', from, 'a valid Date');
  const fits = Number.isSafeInteger(count) && count >= 1 && count <= MOST_TICKS;
  expectThat(fits, 'ticks(): count', count, `a whole number from 1 to ${MOST_TICKS}`);
  const found: Date[] = [];
  for (let tick = rule.next(from.getTime()); tick !== undefined; tick = rule.next(tick)) {
    if (found.push(new Date(tick)) === count) break;
  }
  return found;
}
