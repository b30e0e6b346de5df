import { Logger } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { PlannedSchedule } from './planned-schedule.js';
import { ScheduleEntry } from './schedule-entry.js';
import type { Scheduler } from './scheduler.js';

/** Shows the declared schedules that this process ticks in the application's own `SchedulerRegistry`, where it has one. */
export class ShownSchedules {
  private registry: SchedulerRegistry | undefined;
  private readonly shown = new Map<string, ScheduleEntry>();

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly scheduler: Scheduler,
    private readonly declared: () => readonly PlannedSchedule[],
    private readonly logger = new Logger('TaskSchedules'),
  ) {}

  show(): void {
    const { registry } = this.find();
    if (!registry) return;
    this.registry = registry;
    for (const { name, queue, isInterval } of this.declared()) {
      const ticker = this.scheduler.tickerOf(queue);
      const ticked = ticker?.find(name);
      if (!ticker || !ticked) continue;
      if (registry.doesExist(isInterval ? 'interval' : 'cron', name)) {
        this.logger.warn(
          `The SchedulerRegistry has another entry of the name '${name}', so that the schedule is not shown in it. ` +
            `Give the schedule a name of its own: { name: '…' }.`,
        );
        continue;
      }
      const entry = new ScheduleEntry(ticker, ticked);
      if (isInterval) registry.addInterval(name, entry);
      else registry.addCronJob(name, entry as unknown as Parameters<SchedulerRegistry['addCronJob']>[1]);
      this.shown.set(name, entry);
    }
  }

  /** Takes out what is still there. */
  hide(): void {
    const { registry } = this;
    if (!registry) return;
    for (const [name, entry] of this.shown) {
      const kind = entry.isInterval ? 'interval' : 'cron';
      if (!registry.doesExist(kind, name)) continue;
      if (kind === 'interval') registry.deleteInterval(name);
      else registry.deleteCronJob(name);
    }
    this.shown.clear();
  }

  private find(): { registry?: SchedulerRegistry } {
    try {
      return { registry: this.moduleRef.get(SchedulerRegistry, { strict: false }) };
    } catch {
      // The application does not use @nestjs/schedule, so that nobody could look.
      return {};
    }
  }
}
