import { NestFactory } from '@nestjs/core';
import { TaskQueue, task, type JobHandle } from 'nestjs-tasks';
import { median } from '../clock.js';
import type { Stage } from '../stage.js';
import { MOST_THREADS, ThreadModule, ThreadTasks } from '../thread-app.js';
import type { Row, ValueSpec } from './row.js';

export const threadsRow: Row = {
  name: 'threads',
  title: 'tasks in threads, embedded engine',
  values: [
    value('overhead', 'more per job than on the event loop', 'µs'),
    value('start', 'start of a thread', 'ms'),
    value('memory', 'memory of a thread', 'MB'),
  ],
  jobs: 5_000,
  quickJobs: 200,
  systems: ['ours'],
  measure,
};

function value(name: string, title: string, unit: string): ValueSpec {
  return { name, title, unit, better: 'lower' };
}

/** No-op tasks one after the other, with a booted thread and without one. */
async function measure({ jobs }: Stage): Promise<Record<string, number>> {
  const app = await NestFactory.createApplicationContext(ThreadModule, { logger: false });
  const queue = app.get(TaskQueue);
  const { isolated, onLoop, hold } = task(ThreadTasks);

  const roundTrip = async (call: typeof isolated): Promise<number> => {
    const startedAt = performance.now();
    await (await queue.enqueue(call(1))).result();
    return performance.now() - startedAt;
  };
  const first = await roundTrip(isolated);
  const times = { isolated: [] as number[], onLoop: [] as number[] };
  for (let i = 0; i < jobs; i++) {
    times.isolated.push(await roundTrip(isolated));
    times.onLoop.push(await roundTrip(onLoop));
  }
  const [inThread, here] = [median(times.isolated), median(times.onLoop)];

  const before = process.memoryUsage.rss();
  const held = await Promise.all(Array.from({ length: MOST_THREADS }, () => queue.enqueue(hold())));
  await Promise.all(held.map(begun));
  const memory = (process.memoryUsage.rss() - before) / (MOST_THREADS - 1) / 1024 ** 2;
  await Promise.all(held.map((job) => job.cancel()));
  await app.close();
  return { overhead: (inThread - here) * 1_000, start: first - inThread, memory };
}

function begun(job: JobHandle<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    job.progress$.subscribe({ next: () => resolve(), error: reject, complete: resolve });
  });
}
