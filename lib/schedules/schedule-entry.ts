import type { QueueTicker } from './queue-ticker.js';
import type { TickedSchedule } from './ticked-schedule.js';

/** An instant with the methods of a luxon `DateTime` that are mostly called on what `nextDate()` answers. */
export class TickDate extends Date {
  toJSDate(): Date {
    return new Date(this);
  }

  toMillis(): number {
    return this.getTime();
  }

  toISO(): string {
    return this.toISOString();
  }
}

/**
 * A schedule as the `SchedulerRegistry` shows it: what users call of a `CronJob`. It acts on this process only; the ticks
 * go on in all others. `TaskSchedules` acts on the cluster.
 */
export class ScheduleEntry {
  readonly name: string;
  readonly isInterval: boolean;
  readonly cronTime: { source: string; timeZone: string };

  constructor(
    private readonly ticker: QueueTicker,
    private readonly ticked: TickedSchedule,
  ) {
    const { name, isInterval, rule } = ticked.schedule;
    this.name = name;
    this.isInterval = isInterval;
    this.cronTime = { source: rule.when, timeZone: rule.timeZone };
  }

  /** Whether this process ticks the schedule. */
  get isActive(): boolean {
    return !this.ticked.isStopped && !this.ticked.isGone && !this.ticked.schedule.disabled;
  }

  /** The next tick; throws where none is to come, as a `CronJob` does. */
  nextDate(): TickDate {
    const [next] = this.nextDates(1);
    if (!next) throw new Error(`The schedule ${this.name} is not due any more.`);
    return next;
  }

  nextDates(count = 1): TickDate[] {
    const { rule } = this.ticked.schedule;
    const dates: TickDate[] = [];
    for (
      let tick = rule.next(this.ticker.time.now());
      tick !== undefined && dates.length < count;
      tick = rule.next(tick)
    ) {
      dates.push(new TickDate(tick));
    }
    return dates;
  }

  /** The last tick for which this process knows a job; null before. */
  lastDate(): TickDate | null {
    const { lastTick } = this.ticked;
    return lastTick === undefined ? null : new TickDate(lastTick);
  }

  /** Ticks the schedule in this process again; what was due meanwhile is left out. */
  start(): void {
    this.ticker.setStopped(this.ticked, false);
  }

  /** Ticks the schedule no more in this process. */
  stop(): void {
    this.ticker.setStopped(this.ticked, true);
  }

  /** As `TaskSchedules.trigger()`. */
  async fireOnTick(): Promise<void> {
    await this.ticker.trigger(this.ticked);
  }

  /** Node's `clearInterval`, which `deleteInterval()` calls, reads this first: to delete an interval stops it. */
  get _onTimeout(): undefined {
    if (this.isInterval) this.stop();
    return undefined;
  }
}
