import { Injectable, Module, Scope, Inject, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Interval as NestInterval } from '@nestjs/schedule';
import {
  Ctx,
  Discard,
  Retry,
  Snooze,
  Task,
  TaskContext,
  TaskQueue,
  TaskSchedules,
  TasksModule,
  task,
  type JobError,
  type PayloadCodec,
  type TasksModuleOptions,
} from 'nestjs-tasks';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, threadId } from 'node:worker_threads';

/** Set by the test before an app boots; the threads of the app see it as well. */
export const OPTIONS = 'TEST_THREADS_OPTIONS';

/** Encodes so that a test can tell. */
const BASE64: PayloadCodec = {
  encode: (json) => Buffer.from(json).toString('base64'),
  decode: (text) => Buffer.from(text, 'base64').toString(),
};

export class Refused extends Error {
  constructor(readonly wait: number) {
    super('refused');
    this.name = 'Refused';
  }
}
export class Hopeless extends Error {}

/** Something to inject. */
@Injectable()
export class Sums implements OnApplicationShutdown {
  readonly boots = 1;

  add(a: number, b: number): number {
    return a + b;
  }

  onApplicationShutdown(): void {
    note(`closed ${isMainThread ? 'main' : 'thread'}`);
  }
}

@Injectable({ scope: Scope.REQUEST })
export class RequestTasks {
  constructor(
    @Inject(REQUEST) private readonly context: TaskContext,
    private readonly sums: Sums,
  ) {}

  @Task({ isolate: 'thread' })
  scoped(): unknown {
    return { jobId: this.context.jobId, sum: this.sums.add(1, 2), isMainThread };
  }
}

@Injectable()
export class ThreadTasks {
  constructor(
    private readonly sums: Sums,
    private readonly queue: TaskQueue,
    private readonly schedules: TaskSchedules,
  ) {}

  /** The app is warned of it when it boots; nothing calls it, since the app has no ScheduleModule. */
  @NestInterval(1_000)
  everywhere(): void {
    throw new Error('called');
  }

  @Task({ isolate: 'thread' })
  add(a: number, b: number): unknown {
    return { sum: this.sums.add(a, b), isMainThread, threadId, pid: process.pid };
  }

  @Task({ isolate: 'thread', attempts: 4 })
  async context(@Ctx() context: TaskContext): Promise<unknown> {
    await context.progress({ done: 1 });
    void context.log('a line');
    void context.progress({ done: 2 });
    const { jobId, task: name, queue, attempt, attempts, metadata } = context;
    const isCurrent = TaskContext.current() === context;
    return { jobId, name, queue, attempt, attempts, metadata, isCurrent, enqueuedAt: context.enqueuedAt.getTime() };
  }

  /** Blocks its thread. */
  @Task({ isolate: 'thread', attempts: 1 })
  block(milliseconds: number): number {
    const end = Date.now() + milliseconds;
    let turns = 0;
    while (Date.now() < end) turns++;
    return turns;
  }

  /** Blocks its thread after it has told so. */
  @Task({ isolate: 'thread' })
  async announced(milliseconds: number): Promise<void> {
    new Logger('Fixture').log('blocking now');
    this.block(milliseconds);
  }

  @Task({ isolate: 'thread', attempts: 1 })
  async wait(milliseconds: number, label = '', @Ctx() context?: TaskContext): Promise<string> {
    note(`begun ${label}`);
    try {
      await sleep(milliseconds, undefined, { signal: context!.signal });
    } catch {
      note(`aborted ${label} ${(context!.signal.reason as Error).constructor.name}`);
      throw context!.signal.reason;
    }
    note(`done ${label}`);
    return label;
  }

  /** Is aborted, and goes on. */
  @Task({ isolate: 'thread', attempts: 2, backoff: 1 })
  async stubborn(label: string, @Ctx() context: TaskContext): Promise<void> {
    note(`begun ${label} ${context.attempt}`);
    await sleep(60_000);
  }

  @Task({ isolate: 'thread', attempts: 3, backoff: 1 })
  async steer(how: string, @Ctx() context: TaskContext): Promise<string> {
    if (how === 'discard') throw new Discard('no use');
    if (context.attempt > 1) return `attempt ${context.attempt}`;
    if (how === 'retry') throw new Retry({ delay: 5, cause: new TypeError('once more') });
    if (how === 'snooze' && !isNoted(`slept ${context.jobId}`)) {
      note(`slept ${context.jobId}`);
      throw new Snooze(5);
    }
    return 'done';
  }

  @Task({
    isolate: 'thread',
    attempts: 3,
    discardOn: [Hopeless],
    retryOn: [Refused, Hopeless],
    backoff: (_attempt, error) => (error instanceof Refused ? error.wait : '1h'),
  })
  fails(how: string): never {
    if (how === 'hopeless') throw new Hopeless('hopeless');
    if (how === 'refused') throw new Refused(3);
    throw Object.assign(new Error('other', { cause: new TypeError('deeper') }), { code: 'E_OTHER' });
  }

  @Task({ isolate: 'thread', attempts: 2, backoff: 1 })
  async crash(how: string): Promise<void> {
    if (how === 'exit') process.exit(7);
    if (how === 'uncaught') {
      setImmediate(() => {
        throw new RangeError('nobody catches this');
      });
      await sleep(5_000);
    }
    if (how === 'rejection') {
      void Promise.reject(new RangeError('nobody awaits this'));
      await sleep(5_000);
    }
    // Grows in steps that V8 ends the process for, unless it is stopped before.
    if (how === 'map') {
      const hoard = new Map<string, number>();
      for (let index = 0; ; index++) hoard.set(`key ${index}`, index);
    }
    if (how === 'memory') {
      const hoard: unknown[] = [];
      for (;;) hoard.push(Array.from({ length: 1_000 }, () => ({ hoard: hoard.length })));
    }
  }

  @Task({ isolate: 'thread', attempts: 1, onFailed: ({ id, error }) => task(ThreadTasks).alert(id, error) })
  doomed(): void {
    process.exit(1);
  }

  @Task()
  alert(id: string, error: JobError): string {
    return `${id}: ${error.name}`;
  }

  @Task()
  onLoop(value: number): number {
    return value * 2;
  }

  /** Enqueues and waits, each level from within the other. */
  @Task({ isolate: 'thread', attempts: 1 })
  async nested(depth: number): Promise<number> {
    if (depth === 0) return (await (await this.queue.enqueue(task(ThreadTasks).onLoop(1))).result()) - 1;
    const job = await this.queue.enqueue(task(ThreadTasks).nested(depth - 1));
    return depth + (await job.result({ timeout: '60s' }));
  }

  @Task({ isolate: 'thread', attempts: 1 })
  async client(): Promise<unknown> {
    const { queue } = this;
    const unknown = await queue.job('nobody').state();
    const missing = await queue
      .job('nobody')
      .result()
      .catch((error: Error) => error.constructor.name);
    const refused = await queue
      .enqueue(task(ThreadTasks).onLoop(1), { queue: 'elsewhere' })
      .catch((error: Error) => error.constructor.name);
    const unique = task(ThreadTasks)
      .onLoop(1)
      .with({ delay: '1h', unique: { until: 'finished', onConflict: 'reject' } });
    const first = await queue.enqueue(unique);
    const duplicate = await queue
      .enqueue(unique)
      .catch((error: Error & { jobId: string; code: string }) => [
        error.constructor.name,
        error.code,
        error.jobId === first.id,
      ]);
    const cancelled = await first.cancel();
    return { unknown, missing, refused, duplicate, cancelled, state: await first.state() };
  }

  /** Of a schedule that is set at run time, which it removes. */
  @Task({ isolate: 'thread', attempts: 1 })
  async scheduled(label: string, @Ctx() { tick, schedule, jobId }: TaskContext): Promise<unknown> {
    const listed = (await this.schedules.list()).map(({ name }) => name);
    const isRemoved = await this.schedules.remove(schedule!.name);
    note(`ticked ${label} ${jobId}`);
    return { label, isMainThread, tick: tick?.getTime(), name: schedule!.name, listed, isRemoved };
  }

  @Task({ isolate: 'thread' })
  logs(): void {
    new Logger('Fixture').warn('a warning from a thread');
  }

  @Task({ isolate: 'thread' })
  unserialisable(): bigint {
    return 1n;
  }
}

@Module({
  imports: [
    TasksModule.forRootAsync({
      useFactory: (): TasksModuleOptions => {
        const { threads, ...options } = JSON.parse(process.env[OPTIONS] ?? '{}') as TasksModuleOptions;
        if (!isMainThread && process.env.TEST_BOOT_FAILS === 'exit') process.exit(3);
        if (!isMainThread && process.env.TEST_BOOT_FAILS) throw new Error('the database is away');
        const codec = process.env.TEST_CODEC ? BASE64 : undefined;
        return { ...options, codec, threads: threads === false ? false : { module: import.meta.url, ...threads } };
      },
    }),
  ],
  providers: [Sums, ThreadTasks, RequestTasks],
})
export class AppModule {}

/** Tells the test what happened, whatever thread it happened in. */
function note(line: string): void {
  const file = process.env.TEST_NOTES;
  if (file) appendFileSync(file, `${line}\n`);
}

function isNoted(line: string): boolean {
  return readFileSync(process.env.TEST_NOTES!, 'utf8').split('\n').includes(line);
}
