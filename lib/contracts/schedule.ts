import type { Duration } from './duration.js';

/** One field of a cron: a number, a name (`'mon'`, `'january'`), cron text (`'9-17/2'`), or a list of these. */
export type CronField = number | string | readonly (number | string)[];

/**
 * A cron as an object: due when all given fields match.
 *
 * Unset fields smaller than the largest given one are 0, and the day 1; unset larger ones are any. A weekday names the
 * day, so beside it an unset day is any.
 *
 * | fields | due |
 * | --- | --- |
 * | `{ hour: 2 }` | every day at 02:00:00 |
 * | `{ minute: [0, 30] }` | every half hour |
 * | `{ weekday: 'mon-fri', hour: 9 }` | on working days at 09:00:00 |
 * | `{ day: 13, weekday: 'fri' }` | on each Friday the 13th at midnight |
 * | `{ month: 'jan' }` | on 1 January at midnight |
 * | `{ month: 'jan', weekday: 'mon' }` | on each Monday of January at midnight |
 */
export interface CronFields {
  /** 1 to 12, or a name. */
  month?: CronField;
  /** Of the month, 1 to 31; `'L'` is the last one, `'15W'` the working day nearest to the 15th. */
  day?: CronField;
  /** 0 to 7, both of which are Sunday, or a name; `'fri#2'` is the second Friday of a month, `'friL'` its last. */
  weekday?: CronField;
  /** 0 to 23. */
  hour?: CronField;
  /** 0 to 59. */
  minute?: CronField;
  /** 0 to 59. */
  second?: CronField;
}

/** Due at the times of a clock on the wall. */
export interface CronSchedule {
  /** Text of five fields, or of six with the second first, `'@daily'` and its like, or an object of fields. */
  cron: string | CronFields;
  /** Whose clock, by its IANA name, such as `'Europe/Paris'`. @default 'UTC' */
  timeZone?: string;
}

/** Due again and again after a fixed time, counted from the epoch, so that every instance agrees. */
export interface IntervalSchedule {
  /** At least 1 ms. */
  every: Duration;
}

/** When a schedule is due. */
export type ScheduleTime = CronSchedule | IntervalSchedule;
