import type { Calendar } from './calendar.js';
import { FIRST_INSTANT, LAST_INSTANT, type ScheduleRule } from './schedule-rule.js';
import { FURTHEST_OFFSET, type Zone } from './zone.js';

const SECOND = 1000;

/** Long enough to hold every instant at which some wall time may be shown. */
const WINDOW = 2 * FURTHEST_OFFSET + 2 * 3_600_000;

/**
 * When the clock of a zone shows the times that a cron names; whole seconds.
 *
 * A wall time is due at the first instant at which the clock shows it or has jumped past it: one in the gap of spring
 * at the end of the gap, one in the repeated hour of autumn at its first pass. A cron that lets all 24 hours through is
 * due whenever the clock shows one of its times, so that it goes on evenly across both nights.
 */
export class CronRule implements ScheduleRule {
  constructor(
    readonly when: string,
    readonly timeZone: string,
    private readonly calendar: Calendar,
    private readonly zone: Zone,
    private readonly isEveryHour: boolean,
  ) {}

  next(after: number): number | undefined {
    if (!(after < LAST_INSTANT)) return undefined;
    const second = Math.max(wholeSecond(after), FIRST_INSTANT);
    const tick = this.isEveryHour ? this.nextShown(second) : this.nextReached(second);
    return tick === undefined || tick > LAST_INSTANT ? undefined : tick;
  }

  latest(atOrBefore: number): number | undefined {
    if (!(atOrBefore >= FIRST_INSTANT)) return undefined;
    const second = Math.min(wholeSecond(atOrBefore), LAST_INSTANT);
    const tick = this.isEveryHour ? this.latestShown(second) : this.latestReached(second);
    return tick === undefined || tick < FIRST_INSTANT ? undefined : tick;
  }

  /** A wall time is reached after an instant exactly if the clock has shown none as late up to it. */
  private nextReached(after: number): number | undefined {
    const wall = this.calendar.after(this.zone.latestShown(after));
    return wall === undefined ? undefined : this.zone.firstReached(wall);
  }

  private latestReached(atOrBefore: number): number | undefined {
    const wall = this.calendar.before(this.zone.latestShown(atOrBefore) + SECOND);
    return wall === undefined ? undefined : this.zone.firstReached(wall);
  }

  /** Looks through the next hours, else through those around the next named wall time; again if no clock shows that. */
  private nextShown(after: number): number | undefined {
    for (let from = after + SECOND; ;) {
      let wall = 0;
      const to = from + WINDOW;
      for (const { start, end, offset } of this.zone.stretches(from, to)) {
        const named = this.calendar.after(start + offset - SECOND);
        if (named === undefined) return undefined;
        if (named - offset < end) return named - offset;
        wall = named;
      }
      from = Math.max(to, wall - FURTHEST_OFFSET);
    }
  }

  private latestShown(atOrBefore: number): number | undefined {
    for (let to = atOrBefore + SECOND; ;) {
      let wall = 0;
      const from = to - WINDOW;
      for (const { start, end, offset } of this.zone.stretches(from, to).toReversed()) {
        const named = this.calendar.before(end + offset);
        if (named === undefined) return undefined;
        if (named - offset >= start) return named - offset;
        wall = named;
      }
      to = Math.min(from, wall + FURTHEST_OFFSET);
    }
  }
}

function wholeSecond(instant: number): number {
  return Math.floor(instant / SECOND) * SECOND;
}
