import { expectFields, expectThat } from '../contracts/checks.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { CronFields, ScheduleTime } from '../contracts/schedule.js';
import { Calendar } from './calendar.js';
import { CronRule } from './cron-rule.js';
import { parseCron } from './cron-values.js';
import { IntervalRule } from './interval-rule.js';
import type { ScheduleRule } from './schedule-rule.js';
import { zoneOf } from './zone.js';

const FIELDS = ['cron', 'timeZone', 'every'];

/** Longer ones would have no second tick. */
const LONGEST_INTERVAL = 100 * 365 * 86_400_000;

/**
 * Makes a rule of a cron and its zone, or of an interval.
 *
 * @param where names the place in errors, e.g. `@Cron() of Reports.daily`
 * @throws InvalidOptionsError when it cannot be read or would never be due; says what, and the allowed range
 */
export function compileRule(time: ScheduleTime, where: string): ScheduleRule {
  expectFields(time, FIELDS, where, `{ cron, timeZone } or { every }`);
  const { cron, timeZone, every } = time as { cron?: string | CronFields; timeZone?: string; every?: Duration };
  if ((cron === undefined) === (every === undefined)) {
    throw new InvalidOptionsError(
      `${where} has ${every === undefined ? 'neither cron nor every' : 'both cron and every'}. Give one of them.`,
    );
  }
  if (every === undefined) return cronRule(cron!, timeZone ?? 'UTC', where);
  if (timeZone !== undefined) {
    throw new InvalidOptionsError(`${where} has a timeZone beside every. An interval knows no zone: leave it out.`);
  }
  return intervalRule(every, where);
}

function cronRule(cron: string | CronFields, timeZone: string, where: string): ScheduleRule {
  const values = parseCron(cron, `${where}: cron`);
  const zone = zoneOf(timeZone, `${where}: timeZone`);
  const calendar = new Calendar(values);
  const when = typeof cron === 'string' ? cron : JSON.stringify(cron);
  if (calendar.after(0) === undefined) {
    throw new InvalidOptionsError(
      `${where}: cron ${typeof cron === 'string' ? `'${when}'` : when} would never be due: no month of it has such a day. ` +
        `Give a day that the month has, or 'L' for its last one.`,
    );
  }
  return new CronRule(when, timeZone, calendar, zone, values.hour.values.length === 24);
}

function intervalRule(every: Duration, where: string): ScheduleRule {
  const milliseconds = Math.round(toMilliseconds(every, `${where}: every`));
  const fits = milliseconds >= 1 && milliseconds <= LONGEST_INTERVAL;
  expectThat(fits, `${where}: every`, every, `a duration from 1 ms to 100 years, such as '90s'`);
  return new IntervalRule(typeof every === 'number' ? `${every}ms` : every, milliseconds);
}
