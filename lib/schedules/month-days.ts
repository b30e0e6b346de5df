import type { CronValues } from './cron-field.js';

const DAY = 86_400_000;

/** A month as its days are asked for. */
interface Month {
  /** How many days it has. */
  length: number;
  /** 0 to 6, Sunday first. */
  weekdayOf: (day: number) => number;
}

/**
 * The days of a month that a cron lets through, in their order.
 *
 * @param month 0 to 11
 */
export function daysOfMonth({ day, weekday, bothDays }: CronValues, year: number, month: number): number[] {
  const start = Date.UTC(year, month, 1);
  const firstWeekday = new Date(start).getUTCDay();
  const shape: Month = {
    length: (Date.UTC(year, month + 1, 1) - start) / DAY,
    weekdayOf: (one) => (firstWeekday + one - 1) % 7,
  };
  const byDay = (one: number): boolean =>
    day.values.includes(one) || day.modifiers.some((modifier) => one === dayOf(modifier, shape));
  const byWeekday = (one: number): boolean =>
    weekday.values.includes(shape.weekdayOf(one)) || weekday.modifiers.some((modifier) => isNth(modifier, one, shape));
  // A star lets every day through, so beside one it is enough that both fit.
  const both = bothDays || day.isAny || weekday.isAny;
  const days = Array.from({ length: shape.length }, (_, index) => index + 1);
  return days.filter((one) => (both ? byDay(one) && byWeekday(one) : byDay(one) || byWeekday(one)));
}

/** The day that `L`, `LW` or `15W` is in a month; undefined where the month is too short. */
function dayOf(modifier: string, { length, weekdayOf }: Month): number | undefined {
  if (modifier === 'L') return length;
  const day = modifier === 'LW' ? length : Number.parseInt(modifier, 10);
  if (day > length) return undefined;
  // The nearest working day of the same month.
  if (weekdayOf(day) === 6) return day === 1 ? 3 : day - 1;
  if (weekdayOf(day) === 0) return day === length ? day - 2 : day + 1;
  return day;
}

/** Whether a day is the `5#2`, the second Friday, or the `5L` or `5#L`, the last one. */
function isNth(modifier: string, day: number, { length, weekdayOf }: Month): boolean {
  if (Number(modifier[0]) !== weekdayOf(day)) return false;
  return modifier.endsWith('L') ? day + 7 > length : Math.ceil(day / 7) === Number(modifier.at(-1));
}
