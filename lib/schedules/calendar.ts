import type { CronValues } from './cron-field.js';
import { daysOfMonth } from './month-days.js';

const SECOND = 1000;
const DAY = 86_400_000;
const LAST_SECOND = 86_399;

/** After 400 years the calendar repeats itself, weekdays and leap years alike. */
const EVERY_MONTH = 400 * 12;

/** Forwards or backwards in time. */
type Step = 1 | -1;

/**
 * The wall times that a cron names, on a wall whose clock never changes. Wall times are whole seconds, in milliseconds.
 *
 * What is due on the nights when a clock changes is no matter of the calendar: `CronRule` decides.
 */
export class Calendar {
  /** The last month that was looked at, which the next question is mostly about as well. */
  private known: { year: number; month: number; days: readonly number[] } | undefined;

  constructor(private readonly values: CronValues) {}

  /** The first named wall time after `wall`; undefined when there is none at all. */
  after(wall: number): number | undefined {
    return this.find(wall + SECOND, 1);
  }

  /** The last named wall time before `wall`. */
  before(wall: number): number | undefined {
    return this.find(wall - SECOND, -1);
  }

  private find(wall: number, step: Step): number | undefined {
    const today = Math.floor(wall / DAY);
    let day = this.dayFrom(today, step);
    if (day === today) {
      const time = this.timeFrom((wall - today * DAY) / SECOND, step);
      if (time !== undefined) return today * DAY + time * SECOND;
      day = this.dayFrom(today + step, step);
    }
    return day === undefined ? undefined : day * DAY + this.timeFrom(step > 0 ? 0 : LAST_SECOND, step)! * SECOND;
  }

  /** The nearest day that is let through, `from` included; days are counted from the epoch. */
  private dayFrom(from: number, step: Step): number | undefined {
    const date = new Date(from * DAY);
    let year = date.getUTCFullYear();
    let month = date.getUTCMonth();
    let start = date.getUTCDate();
    for (let months = 0; months <= EVERY_MONTH; months += 1) {
      if (this.values.month.values.includes(month + 1)) {
        const day = nearest(this.daysOf(year, month), start, step);
        if (day !== undefined) return Date.UTC(year, month, day) / DAY;
      }
      month += step;
      if (month < 0 || month > 11) {
        month -= 12 * step;
        year += step;
      }
      start = step > 0 ? 1 : 31;
    }
    return undefined;
  }

  private daysOf(year: number, month: number): readonly number[] {
    if (this.known?.month !== month || this.known.year !== year) {
      this.known = { year, month, days: daysOfMonth(this.values, year, month) };
    }
    return this.known.days;
  }

  /** The nearest time of day that is let through, `from` included; times are seconds since midnight. */
  private timeFrom(from: number, step: Step): number | undefined {
    const [hours, minutes, seconds] = [this.values.hour.values, this.values.minute.values, this.values.second.values];
    const hour = Math.floor(from / 3600);
    const minute = Math.floor(from / 60) % 60;
    const isNamedHour = hours.includes(hour);
    const inMinute = isNamedHour && minutes.includes(minute) ? nearest(seconds, from % 60, step) : undefined;
    if (inMinute !== undefined) return timeOf(hour, minute, inMinute);
    const inHour = isNamedHour ? nearest(minutes, minute + step, step) : undefined;
    if (inHour !== undefined) return timeOf(hour, inHour, first(seconds, step));
    const inDay = nearest(hours, hour + step, step);
    return inDay === undefined ? undefined : timeOf(inDay, first(minutes, step), first(seconds, step));
  }
}

/** In seconds since midnight. */
function timeOf(hour: number, minute: number, second: number): number {
  return (hour * 60 + minute) * 60 + second;
}

function first(sorted: readonly number[], step: Step): number {
  return step > 0 ? sorted[0] : sorted.at(-1)!;
}

/** The value of a sorted list that is the nearest to `from` in a direction, `from` included. */
function nearest(sorted: readonly number[], from: number, step: Step): number | undefined {
  return step > 0 ? sorted.find((value) => value >= from) : sorted.findLast((value) => value <= from);
}
