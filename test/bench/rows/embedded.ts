import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Task, TaskQueue, TasksModule, task } from 'nestjs-tasks';
import { Stopwatch } from '../clock.js';
import type { Stage } from '../stage.js';
import { QUEUE, type JobData } from '../systems/system.js';
import { Tally } from '../tally.js';
import { CPU, RATE, type Row } from './row.js';

const IN_FLIGHT = 1_000;
const CONCURRENCY = 50;

export const embeddedRow: Row = {
  name: 'embedded',
  title: 'embedded engine, no-op',
  values: [RATE, CPU],
  jobs: 500_000,
  quickJobs: 20_000,
  systems: ['ours'],
  measure,
};

/** The producer is kept `IN_FLIGHT` jobs ahead of the worker, in the same process. */
async function measure({ jobs }: Stage): Promise<Record<string, number>> {
  const tally = new Tally(jobs);
  let done = 0;
  let goOn: (() => void) | undefined;

  @Injectable()
  class BenchTasks {
    @Task({ queue: QUEUE, keepResult: false })
    async run({ i }: JobData): Promise<void> {
      tally.note(i);
      done++;
      goOn?.();
    }
  }
  @Module({
    imports: [TasksModule.forRoot({ queues: { [QUEUE]: { concurrency: CONCURRENCY } } })],
    providers: [BenchTasks],
  })
  class BenchModule {}
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
  const queue = app.get(TaskQueue);
  const { run } = task(BenchTasks);

  const warm = Math.floor(jobs / 5);
  let watch = new Stopwatch();
  const failures: unknown[] = [];
  for (let i = 0; i < jobs; i++) {
    if (i === warm) watch = new Stopwatch();
    if (i - done >= IN_FLIGHT) await new Promise<void>((resolve) => (goOn = resolve));
    queue.enqueue(run({ i })).catch((error: unknown) => failures.push(error));
  }
  await tally.all();
  const { seconds, cpu } = watch;
  await app.close();
  if (failures.length > 0) throw failures[0];
  tally.check();
  return { rate: (jobs - warm) / seconds, cpu: cpu / (jobs - warm) };
}
