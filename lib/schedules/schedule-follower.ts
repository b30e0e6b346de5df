import { Logger } from '@nestjs/common';
import type { Clock, ClockTimer } from '../contracts/clock.js';
import type { EngineSchedules } from '../contracts/engine-schedules.js';
import type { ScheduleDefaults } from '../contracts/settings.js';
import type { PlannedSchedule } from './planned-schedule.js';
import type { QueueTicker } from './queue-ticker.js';
import { readDefinition } from './stored-definition.js';

/** A notice may get lost, so that changes are asked for at least so often, in milliseconds. */
const LOOK_EVERY = 5_000;

/** How often the engine is told that all schedules are still there, in looks: every twelve hours. */
const LOOKS_PER_TOUCH = (12 * 60 * 60 * 1_000) / LOOK_EVERY;

/** Lets a ticker tick what is set at run time in its queue. */
export class ScheduleFollower {
  private readonly names = new Set<string>();
  private version = 0;
  /** While all that is stored is read: what was found so far. */
  private found: Set<string> | undefined;
  private looks = 0;
  private timer: ClockTimer | undefined;
  private unfollow: (() => void) | undefined;
  private looking: Promise<void> | undefined;
  private isAsked = false;
  private isStopped = false;

  constructor(
    private readonly ticker: QueueTicker,
    private readonly engine: EngineSchedules,
    private readonly clock: Clock,
    private readonly defaults: ScheduleDefaults,
    private readonly logger: Pick<Logger, 'warn' | 'error'> = new Logger('TaskSchedules'),
  ) {}

  start(): void {
    this.unfollow = this.engine.follow(this.ticker.queue, () => this.look());
    this.look();
    this.lookLater();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.unfollow?.();
    this.clock.clearTimer(this.timer);
    await this.looking;
  }

  private lookLater(): void {
    this.timer = this.clock.setTimer(() => {
      if (++this.looks % LOOKS_PER_TOUCH === 0) this.ticker.touch();
      this.look();
      this.lookLater();
    }, LOOK_EVERY);
  }

  /** One look at a time; what is announced meanwhile is looked at in another one. */
  private look(): void {
    if (this.isStopped) return;
    this.isAsked = true;
    this.looking ??= this.lookWhileAsked().finally(() => (this.looking = undefined));
  }

  private async lookWhileAsked(): Promise<void> {
    while (this.isAsked && !this.isStopped) {
      this.isAsked = false;
      try {
        await this.readChanges();
      } catch {
        // The engine is out of reach, which is logged already; the next look makes up for it.
        return;
      }
    }
  }

  private async readChanges(): Promise<void> {
    const { queue, time } = this.ticker;
    if (this.version === 0) this.found = new Set();
    let hasMore = true;
    while (hasMore && !this.isStopped) {
      const { version } = this;
      const changes = await time.ask(() => this.engine.changes(queue, version));
      this.version = changes.version;
      hasMore = changes.hasMore || changes.isReset;
      if (changes.isReset) this.found = new Set();
      for (const name of changes.removed) this.remove(name);
      const schedules = changes.set.flatMap((one) => this.read(one) ?? []);
      for (const { name } of schedules) {
        this.found?.add(name);
        this.names.add(name);
      }
      if (schedules.length > 0) this.ticker.add(schedules);
    }
    if (hasMore || !this.found) return;
    for (const name of this.names) if (!this.found.has(name)) this.remove(name);
    this.found = undefined;
  }

  private remove(name: string): void {
    if (this.names.delete(name)) this.ticker.remove(name);
  }

  private read({
    name,
    version,
    definition,
  }: {
    name: string;
    version: number;
    definition: string;
  }): PlannedSchedule | undefined {
    if (this.ticker.find(name)?.schedule.source === 'declared') {
      this.logger.warn(
        `Schedule ${name} was set at run time and is declared as well; the declared one is ticked here.`,
      );
      return undefined;
    }
    try {
      return readDefinition(name, definition, version, this.defaults);
    } catch (error) {
      this.remove(name);
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.error(`Schedule ${name}, which was set at run time, cannot be read: ${reason}`);
      return undefined;
    }
  }
}
