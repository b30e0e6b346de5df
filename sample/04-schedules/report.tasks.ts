import { Injectable } from '@nestjs/common';
import { Cron, Ctx, Interval, Task, TaskContext } from 'nestjs-tasks';
import { setTimeout } from 'node:timers/promises';
import { Journal } from './journal.js';

@Injectable()
export class ReportTasks {
  constructor(private readonly journal: Journal) {}

  /** At nine in Paris, summer and winter, and once when a deploy begins. What a night's downtime missed is made up. */
  @Cron(
    { weekday: 'mon-fri', hour: 9 },
    { timeZone: 'Europe/Paris', catchUp: 'last', catchUpWindow: '12h', runOnStart: true },
  )
  daily(@Ctx() { tick }: TaskContext): void {
    this.journal.write(tick ? `daily report of ${tick.toISOString()}` : 'daily report, because a deploy began');
  }

  /** Every two seconds, in one process of all. */
  @Interval('2s')
  beat(@Ctx() { tick }: TaskContext): void {
    this.journal.write(`beat of ${tick?.toISOString()}`);
  }

  /** Takes longer than the time between two ticks, so that every other tick is skipped. */
  @Cron('*/2 * * * * *', { name: 'slow', overlap: 'skip' })
  async import(@Ctx() { signal }: TaskContext): Promise<void> {
    await setTimeout(3_000, undefined, { signal });
  }

  /** Has arguments, so that its schedules are set at run time: one for each tenant. */
  @Task()
  tenantReport(tenant: string, @Ctx() { schedule }: TaskContext): void {
    this.journal.write(`report of ${tenant}, by ${schedule?.name}`);
  }
}
