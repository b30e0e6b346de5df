import { Injectable } from '@nestjs/common';
import { Cron, Ctx, Interval, TaskContext } from 'nestjs-tasks';
import { Effects } from './tasks.js';

/** How long a tick's run takes, in ms. */
const RUN = 50;

/** A schedule of either kind with a tick each second; the key in the ledger is the tick. */
@Injectable()
export class ScheduledTasks {
  constructor(private readonly effects: Effects) {}

  @Cron('* * * * * *', { overlap: 'allow' })
  cron(@Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, tickOf(context), RUN);
  }

  @Interval('1s', { overlap: 'allow' })
  interval(@Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, tickOf(context), RUN);
  }
}

function tickOf({ tick }: TaskContext): string {
  return String(tick?.getTime());
}
