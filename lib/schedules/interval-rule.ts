import { FIRST_INSTANT, LAST_INSTANT, type ScheduleRule } from './schedule-rule.js';

/** Due at each multiple of an interval since the epoch. */
export class IntervalRule implements ScheduleRule {
  readonly timeZone = 'UTC';

  constructor(
    readonly when: string,
    /** Whole milliseconds. */
    private readonly every: number,
  ) {}

  next(after: number): number | undefined {
    const tick = (Math.floor(Math.max(after, FIRST_INSTANT) / this.every) + 1) * this.every;
    return tick <= LAST_INSTANT ? tick : undefined;
  }

  latest(atOrBefore: number): number | undefined {
    const tick = Math.floor(Math.min(atOrBefore, LAST_INSTANT) / this.every) * this.every;
    return tick >= FIRST_INSTANT ? tick : undefined;
  }
}
