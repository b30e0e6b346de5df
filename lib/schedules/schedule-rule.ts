import { expectThat } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';

/** Ticks lie between these instants. */
export const FIRST_INSTANT = Date.UTC(1900, 0, 1);
export const LAST_INSTANT = Date.UTC(3000, 0, 1);

/**
 * When a schedule is due. Pure: the answers depend on the arguments only. Instants are milliseconds since the epoch.
 *
 * Both questions are answered at one price, for ticks each second and for one in a leap year.
 */
export interface ScheduleRule {
  /** As it was written, fields as JSON. */
  readonly when: string;
  readonly timeZone: string;
  /** The first tick after an instant, never at it; undefined when none is to come. */
  next(after: number): number | undefined;
  /** The last tick at or before an instant; undefined when there was none. */
  latest(atOrBefore: number): number | undefined;
}

/** The ticks after one instant, up to and with another one, one at a time. */
export function* ticksBetween(rule: ScheduleRule, after: number, upTo: number): Generator<number, void> {
  for (let tick = rule.next(after); tick !== undefined && tick <= upTo; tick = rule.next(tick)) yield tick;
}

/**
 * The ticks of a rule from `startAt` to `endAt`, both inclusive.
 *
 * @throws InvalidOptionsError for what is no valid date, and an end before the start
 */
export function withinBounds(
  rule: ScheduleRule,
  { startAt, endAt }: { startAt?: Date; endAt?: Date },
  where: string,
): ScheduleRule {
  if (startAt === undefined && endAt === undefined) return rule;
  const start = instantOf(startAt, `${where}: startAt`) ?? -Infinity;
  const end = instantOf(endAt, `${where}: endAt`) ?? Infinity;
  if (end < start) throw new InvalidOptionsError(`${where}: endAt is before startAt. It would never be due.`);
  return {
    when: rule.when,
    timeZone: rule.timeZone,
    next: (after) => {
      const tick = rule.next(Math.max(after, start - 1));
      return tick !== undefined && tick <= end ? tick : undefined;
    },
    latest: (atOrBefore) => {
      const tick = rule.latest(Math.min(atOrBefore, end));
      return tick !== undefined && tick >= start ? tick : undefined;
    },
  };
}

function instantOf(date: Date | undefined, where: string): number | undefined {
  if (date === undefined) return undefined;
  expectThat(date instanceof Date && !Number.isNaN(date.getTime()), where, date, 'a valid Date');
  return date.getTime();
}
