import { Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Task, TaskAdmin, TaskQueue, TasksModule, task, type TaskOptions } from 'nestjs-tasks';
import { QUEUE, type Handler, type JobData, type Producer, type System, type SystemSettings } from './system.js';

/** The package under test: a Nest app that enqueues by `TaskQueue`, and one whose provider has the task. */
export function createOurs(settings: SystemSettings): System {
  const { keep, attempts } = settings;
  // Results that are waited for have to be kept until they are read, so there the default holds.
  const options: TaskOptions = { queue: QUEUE, ...(keep ? {} : { keepResult: false }) };
  if (attempts > 1) Object.assign(options, { attempts, backoff: 0 });

  return {
    produce: async () => {
      const BenchTasks = createTasks(options, () => Promise.reject(new Error('The producer runs nothing.')));
      return createProducer(await boot(BenchTasks, settings.port, false, 1), BenchTasks);
    },
    work: async (concurrency, handler) => {
      const app = await boot(createTasks(options, handler), settings.port, true, concurrency);
      return { close: () => app.close() };
    },
  };
}

type TasksClass = Type<{ run(data: JobData): Promise<unknown> }>;

function createTasks(options: TaskOptions, handler: Handler): TasksClass {
  @Injectable()
  class BenchTasks {
    @Task(options)
    run(data: JobData): Promise<unknown> {
      return handler(data);
    }
  }
  return BenchTasks;
}

function boot(
  BenchTasks: TasksClass,
  port: number,
  worker: boolean,
  concurrency: number,
): Promise<INestApplicationContext> {
  @Module({
    imports: [
      TasksModule.forRoot({ redis: `redis://127.0.0.1:${port}`, queues: { [QUEUE]: { concurrency } }, worker }),
    ],
    providers: [BenchTasks],
  })
  class BenchModule {}
  return NestFactory.createApplicationContext(BenchModule, { logger: false });
}

function createProducer(app: INestApplicationContext, BenchTasks: TasksClass): Producer {
  const queue = app.get(TaskQueue);
  const admin = app.get(TaskAdmin);
  const { run } = task(BenchTasks);
  return {
    add: (data, delay) => queue.enqueue(run(data), delay === undefined ? undefined : { delay }),
    addMany: (list) => queue.enqueueMany(list.map((data) => run(data))),
    call: async (data) => (await queue.enqueue(run(data))).result(),
    counts: async () => {
      const { waiting, active, delayed, failed } = await admin.counts(QUEUE);
      return { waiting, active, delayed, failed };
    },
    addFirst: (data) => queue.enqueue(run(data), { priority: 'high' }),
    list: () => admin.list({ queue: QUEUE, state: 'waiting', limit: 50 }),
    close: () => app.close(),
  };
}
