import { Injectable } from '@nestjs/common';
import { Ctx, Task, TaskContext } from 'nestjs-tasks';
import { setTimeout } from 'node:timers/promises';

export interface Report {
  title: string;
  pages: number;
  /** The process that finished it. */
  worker: number;
}

@Injectable()
export class ReportTasks {
  /** Slow on purpose: half a second for each page. */
  @Task({ queue: 'reports' })
  async write(title: string, pages: number, @Ctx() context: TaskContext): Promise<Report> {
    for (let page = 1; page <= pages; page++) {
      await setTimeout(500, undefined, { signal: context.signal });
      await context.progress({ page, pages });
      console.log(`${process.pid}: '${title}' page ${page} of ${pages}`);
    }
    return { title, pages, worker: process.pid };
  }
}
