import { BullAdapter } from '@bull-board/api/bullAdapter';
import {
  getQueueToken,
  InjectQueue,
  OnGlobalQueueActive,
  OnGlobalQueueCompleted,
  OnGlobalQueueFailed,
  OnGlobalQueueProgress,
  OnGlobalQueueWaiting,
  OnQueueActive,
  OnQueueCompleted,
  OnQueueError,
  OnQueueFailed,
  OnQueueProgress,
  OnQueueStalled,
  OnQueueWaiting,
  Processor,
} from '@nestjs/bull';
import { Injectable, Module, type INestApplicationContext, type LoggerService, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import Bull, { type Job, type Queue } from 'bull';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  Ctx,
  InvalidOptionsError,
  Task,
  task,
  TaskContext,
  TaskFailedError,
  TaskQueue,
  TasksModule,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { freshPrefix } from '../support/redis.js';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

async function boot(
  imports: Parameters<typeof Module>[0]['imports'],
  providers: Provider[],
  logger: LoggerService | false = false,
): Promise<INestApplicationContext> {
  @Module({ imports, providers })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  opened.push(app);
  return app;
}

@Injectable()
class MailTasks {
  readonly ran: unknown[] = [];

  @Task({ queue: 'mail', attempts: 1 })
  send(to: string, copies?: number): { sent: string } {
    this.ran.push([to, copies]);
    return { sent: to };
  }

  @Task({ queue: 'mail', attempts: 2, backoff: 0 })
  flaky(@Ctx() context: TaskContext): string {
    if (context.attempt < 3) throw new RangeError(`Attempt ${context.attempt} failed.`);
    return `attempt ${context.attempt}`;
  }

  @Task({ queue: 'mail' })
  async slow(@Ctx() context: TaskContext): Promise<void> {
    await context.progress({ half: true });
  }

  @Task({ name: 'plain' })
  plain(data: unknown): unknown {
    this.ran.push(data);
    return data;
  }
}

const { send, flaky, slow, plain } = task(MailTasks);

describe('On Redis', () => {
  let prefix: string;

  beforeEach(() => {
    prefix = freshPrefix();
  });

  const start = (options: TasksModuleOptions = {}, providers: Provider[] = []): Promise<INestApplicationContext> =>
    boot(
      [TasksModule.forRoot({ redis: inject('redisUrl'), prefix, queues: { mail: {} }, ...options })],
      [MailTasks, ...providers],
    );

  /** A plain Bull queue of another process. */
  function foreign(name: string): Queue {
    const queue = new Bull(name, inject('redisUrl'), { prefix });
    opened.push(queue);
    return queue;
  }

  describe.each([true, false])('with worker: %s', (worker) => {
    it.each(['default', 'mail'])('getQueueToken(%j) is a Bull queue that works at its first use', async (name) => {
      const app = await start({ worker });
      const queue = app.get<Queue>(getQueueToken(name), { strict: false });
      expect(queue.name).toBe(name);
      expect(await queue.getJob('nobody')).toBeNull();
      expect(await queue.getJobCounts()).toMatchObject({ waiting: 0, failed: 0 });
    });
  });

  it.each<[string, (queue: Queue) => Promise<unknown>]>([
    ['getJobCounts', (queue) => queue.getJobCounts()],
    ['isPaused', (queue) => queue.isPaused()],
    ['getWaiting', (queue) => queue.getWaiting()],
    ['getWorkers', (queue) => queue.getWorkers()],
    ['pause', (queue) => queue.pause()],
    ['clean', (queue) => queue.clean(0)],
    ['add', (queue) => queue.add('plain', 1)],
    ['addBulk', (queue) => queue.addBulk([{ name: 'plain', data: 1 }])],
  ])('a queue may be used first by %s()', async (_method, use) => {
    const app = await start({ worker: false });
    await use(app.get<Queue>(getQueueToken('mail'), { strict: false }));
  });

  it('injects the queue by @InjectQueue() into any provider', async () => {
    @Injectable()
    class Admin {
      constructor(
        @InjectQueue('mail') readonly mail: Queue,
        @InjectQueue('default') readonly other: Queue,
      ) {}
    }
    const app = await start({ worker: false }, [Admin]);
    await app.get(TaskQueue).enqueue(send('Ada'));
    await app.get(TaskQueue).enqueue(plain(1), { delay: '1h' });
    const { mail, other } = app.get(Admin);
    expect(await mail.getJobCounts()).toMatchObject({ waiting: 1, delayed: 0 });
    expect(await other.getJobCounts()).toMatchObject({ waiting: 0, delayed: 1 });
  });

  it('a handle’s id is the id of the Bull job', async () => {
    const app = await start();
    const queue = app.get<Queue>(getQueueToken('mail'), { strict: false });
    const done = await app.get(TaskQueue).enqueue(send('Ada', 2));
    await done.result({ timeout: '10s' });
    const completed = (await queue.getJob(done.id))!;
    expect(completed).toMatchObject({
      id: done.id,
      name: 'MailTasks.send',
      data: ['Ada', 2],
      returnvalue: { sent: 'Ada' },
    });
    expect(await completed.getState()).toBe('completed');
    expect(completed.finishedOn).toBeGreaterThanOrEqual(completed.processedOn!);

    const lost = await app.get(TaskQueue).enqueue(flaky());
    await expect(lost.result({ timeout: '10s' })).rejects.toThrow(TaskFailedError);
    const failed = (await queue.getJob(lost.id))!;
    expect(failed).toMatchObject({ attemptsMade: 2, failedReason: 'Attempt 2 failed.' });
    expect(failed.stacktrace).toEqual([
      expect.stringContaining('RangeError: Attempt 1 failed.'),
      expect.stringContaining('RangeError: Attempt 2 failed.'),
    ]);
    expect((await queue.getCompleted()).map(({ id }) => id)).toEqual([done.id]);
    expect((await queue.getFailed()).map(({ id }) => id)).toEqual([lost.id]);
    expect(await queue.getJobCounts()).toEqual({
      waiting: 0,
      active: 0,
      completed: 1,
      failed: 1,
      delayed: 0,
      paused: 0,
    });
  });

  it('counts a running job as active, with its lock', async () => {
    const gate = deferred();
    class GateTasks {
      @Task({ queue: 'mail' }) wait(): Promise<void> {
        return gate.promise;
      }
    }
    const app = await start({}, [GateTasks]);
    const queue = app.get<Queue>(getQueueToken('mail'), { strict: false });
    const job = await app.get(TaskQueue).enqueue(task(GateTasks).wait());
    await eventually(async () => expect(await job.state()).toBe('active'));
    expect((await queue.getActive()).map(({ id }) => id)).toEqual([job.id]);
    expect(await (await queue.getJob(job.id))!.getState()).toBe('active');
    await expect((await queue.getJob(job.id))!.remove()).rejects.toThrow('Could not remove job');
    gate.resolve();
    await job.result({ timeout: '10s' });
  });

  describe('@nestjs/bull listeners', () => {
    const events: string[] = [];
    const note = (event: string, ...values: unknown[]): void => void events.push([event, ...values].join(' '));

    @Processor('mail')
    class Listeners {
      @OnQueueWaiting() waiting(id: string) {
        note('waiting', id);
      }
      @OnQueueActive() active(job: Job) {
        note('active', job.id, JSON.stringify(job.data));
      }
      @OnQueueProgress() progress(job: Job, value: unknown) {
        note('progress', job.id, JSON.stringify(value));
      }
      @OnQueueCompleted() completed(job: Job, result: unknown) {
        note('completed', job.id, JSON.stringify(result));
      }
      @OnQueueFailed() failed(job: Job, error: Error) {
        note('failed', job.id, error.name, error.message, job.failedReason);
      }
      @OnQueueStalled() stalled(job: Job) {
        note('stalled', job.id);
      }
      @OnGlobalQueueWaiting() globalWaiting(id: string) {
        note('global waiting', id);
      }
      @OnGlobalQueueActive() globalActive(id: string) {
        note('global active', id);
      }
      @OnGlobalQueueProgress() globalProgress(id: string, value: unknown) {
        note('global progress', id, JSON.stringify(value));
      }
      @OnGlobalQueueCompleted() globalCompleted(id: string, result: string) {
        note('global completed', id, result);
      }
      @OnGlobalQueueFailed() globalFailed(id: string, reason: string) {
        note('global failed', id, reason);
      }
    }

    beforeEach(() => void events.splice(0));

    const heard = (expected: string[]): Promise<void> =>
      eventually(() => expect(events.toSorted()).toEqual(expected.toSorted()));

    /** Global events come by subscription, which @nestjs/bull does not wait for. */
    async function subscribed(): Promise<void> {
      const redis = new Redis(inject('redisUrl'));
      await eventually(async () => expect(String(await redis.client('LIST'))).toMatch(/ sub=3 psub=2 /));
      redis.disconnect();
    }

    it('hear a job’s way through the queue', async () => {
      const app = await start({}, [Listeners]);
      await subscribed();
      const { id } = await app.get(TaskQueue).enqueue(slow());
      await heard([
        `waiting ${id}`,
        `active ${id} []`,
        `progress ${id} {"half":true}`,
        `completed ${id} `,
        `global waiting ${id}`,
        `global active ${id}`,
        `global progress ${id} {"half":true}`,
        `global completed ${id} `,
      ]);
    });

    it('hear of each failed attempt, and globally of the last', async () => {
      const app = await start({}, [Listeners]);
      await subscribed();
      const { id } = await app.get(TaskQueue).enqueue(flaky());
      await eventually(() => expect(events).toContain(`global failed ${id} Attempt 2 failed.`));
      expect(events.filter((event) => event.startsWith('failed'))).toEqual([
        `failed ${id} RangeError Attempt 1 failed. Attempt 1 failed.`,
        `failed ${id} RangeError Attempt 2 failed. Attempt 2 failed.`,
      ]);
    });

    it('hear of a job that waits when others of other queues are enqueued in the same moment', async () => {
      const app = await start({ worker: false }, [Listeners]);
      await subscribed();
      const queue = app.get(TaskQueue);
      const [, mail] = await Promise.all([queue.enqueue(plain(1)), queue.enqueue(send('Ada'))]);
      await heard([`waiting ${mail.id}`, `global waiting ${mail.id}`]);
    });

    it('hear of a job whose worker died', async () => {
      const app = await start({ stalledInterval: '100ms', worker: false }, [Listeners]);
      const { id } = await app.get(TaskQueue).enqueue(send('Ada'));
      // What a worker leaves that took the job and died, its lock having expired.
      const redis = new Redis(inject('redisUrl'));
      await redis.rpoplpush(`${prefix}:mail:wait`, `${prefix}:mail:active`);
      await redis.hset(`${prefix}:mail:${id}`, { worker: 'dead:1', processedOn: Date.now() });
      redis.disconnect();
      await start({ stalledInterval: '100ms' }, [Listeners]);
      await eventually(() => expect(events).toContain(`stalled ${id}`));
    });

    it('may throw without touching the job', async () => {
      @Processor('mail')
      class Throwing {
        @OnQueueActive() active() {
          throw new Error('active');
        }
        @OnQueueCompleted() completed() {
          throw new Error('completed');
        }
        @OnQueueError() error(error: Error) {
          note('error', error.message);
        }
      }
      const app = await start({}, [Throwing]);
      const job = await app.get(TaskQueue).enqueue(send('Ada'));
      expect(await job.result({ timeout: '10s' })).toEqual({ sent: 'Ada' });
      await heard(['error active', 'error completed']);
      expect(await job.info()).toMatchObject({ state: 'completed', runs: [{ outcome: 'completed' }] });
    });
  });

  describe('a plain Bull producer', () => {
    it('runs a task by its name, with its data as the first argument', async () => {
      const app = await start();
      const job = await foreign('mail').add('MailTasks.send', 'Ada');
      expect(await app.get(TaskQueue).job(String(job.id)).result({ timeout: '10s' })).toEqual({ sent: 'Ada' });
      const list = await foreign('default').add('plain', ['a', 'b']);
      expect(await app.get(TaskQueue).job(String(list.id)).result({ timeout: '10s' })).toEqual(['a', 'b']);
      expect(app.get(MailTasks).ran).toEqual([
        ['Ada', undefined],
        ['a', 'b'],
      ]);
    });

    it('gets the result by job.finished()', async () => {
      await start();
      const job = await foreign('mail').add('MailTasks.send', 'Ada');
      expect(await job.finished()).toEqual({ sent: 'Ada' });
    });

    it('has its delay honoured', async () => {
      const app = await start();
      const before = Date.now();
      const added = await foreign('default').add('plain', 1, { delay: 300 });
      const job = app.get(TaskQueue).job(String(added.id));
      expect(await job.state()).toBe('delayed');
      await job.result({ timeout: '10s' });
      expect((await job.info())!.startedAt!.getTime()).toBeGreaterThanOrEqual(before + 299);
    });

    it('has its priorities honoured: 1 first, and before all without one', async () => {
      const queue = foreign('default');
      for (const [data, priority] of [['none'], ['five', 5], ['one', 1], ['three', 3]] as const) {
        await queue.add('plain', data, { priority });
      }
      const app = await start({ queues: { default: { concurrency: 1 }, mail: {} } });
      await eventually(() => expect(app.get(MailTasks).ran).toEqual(['one', 'three', 'five', 'none']));
    });

    it('has its attempts honoured', async () => {
      const app = await start();
      const added = await foreign('mail').add('MailTasks.flaky', null, { attempts: 3, backoff: 10 });
      const job = app.get(TaskQueue).job(String(added.id));
      expect(await job.result({ timeout: '10s' })).toBe('attempt 3');
    });

    it('does not lose a job whose name nobody here knows: it is put back', async () => {
      const app = await start();
      const added = await foreign('default').add('newer.task', { x: 1 });
      const job = app.get(TaskQueue).job(String(added.id));
      const info = await eventually(async () => {
        const read = (await job.info())!;
        expect(read.state).toBe('delayed');
        return read;
      });
      expect(info).toMatchObject({
        args: [{ x: 1 }],
        runs: [{ attempt: 1, outcome: 'snooze', error: { code: 'TASKS_UNKNOWN_TASK' } }],
      });
      // A worker that has it takes it over, with all its attempts.
      class NewerTasks {
        @Task({ name: 'newer.task' }) run(data: { x: number }, @Ctx() context: TaskContext): number[] {
          return [data.x, context.attempt];
        }
      }
      await app.close();
      const newer = await start({}, [NewerTasks]);
      expect(await newer.get(TaskQueue).job(job.id).result({ timeout: '10s' })).toEqual([1, 1]);
    });
  });

  describe('the Bull queue’s own methods', () => {
    async function startWithQueue(options: TasksModuleOptions = {}) {
      const app = await start(options);
      const tasks = app.get(TaskQueue);
      return { app, tasks, mail: app.get<Queue>(getQueueToken('mail'), { strict: false }) };
    }

    it('pause() stops the workers of every process, resume() starts them', async () => {
      const { app, tasks, mail } = await startWithQueue();
      await (await tasks.enqueue(send('first'))).result({ timeout: '10s' });
      await mail.pause();
      const job = await tasks.enqueue(send('paused'));
      // Another queue goes on; when its job is done, this one would be too.
      await (await tasks.enqueue(plain(1))).result({ timeout: '10s' });
      expect(await job.state()).toBe('waiting');
      expect(app.get(MailTasks).ran).toEqual([['first', undefined], 1]);
      expect(await mail.getJobCounts()).toMatchObject({ paused: 1, waiting: 0 });
      await mail.resume();
      expect(await job.result({ timeout: '10s' })).toEqual({ sent: 'paused' });
    });

    it.each([
      ['waiting', undefined],
      ['delayed', '1h'],
    ] as const)('job.remove() removes a %s job', async (state, delay) => {
      const { tasks, mail } = await startWithQueue({ worker: false });
      const job = await tasks.enqueue(send('Ada'), { delay });
      expect(await job.state()).toBe(state);
      await (await mail.getJob(job.id))!.remove();
      expect(await job.state()).toBe('unknown');
      expect(await job.info()).toBeUndefined();
      expect(await mail.getJobCounts()).toMatchObject({ waiting: 0, delayed: 0 });
    });

    it('job.retry() runs a failed job again', async () => {
      const { tasks, mail } = await startWithQueue();
      const job = await tasks.enqueue(flaky());
      await expect(job.result({ timeout: '10s' })).rejects.toThrow(TaskFailedError);
      await (await mail.getJob(job.id))!.retry();
      expect(await job.result({ timeout: '10s' })).toBe('attempt 3');
      expect(await job.info()).toMatchObject({ state: 'completed', result: 'attempt 3' });
      expect(await mail.getJobCounts()).toMatchObject({ completed: 1, failed: 0 });
    });

    it('job.promote() starts a delayed job', async () => {
      const { tasks, mail } = await startWithQueue();
      const job = await tasks.enqueue(send('Ada'), { delay: '1h' });
      await (await mail.getJob(job.id))!.promote();
      expect(await job.result({ timeout: '10s' })).toEqual({ sent: 'Ada' });
    });

    it('getWorkers() lists the workers, from their start on', async () => {
      const { mail } = await startWithQueue();
      await eventually(async () => expect(await mail.getWorkers()).toHaveLength(1), { timeout: 2_000 });
      const { mail: idle } = await startWithQueue({ worker: false });
      expect(await idle.getWorkers()).toHaveLength(1);
    });

    it('empty() and obliterate() leave nothing that runs', async () => {
      const { tasks, mail } = await startWithQueue({ worker: false });
      const jobs = await tasks.enqueueMany([send('a'), send('b')]);
      await mail.empty();
      expect(await Promise.all(jobs.map((job) => job.state()))).toEqual(['unknown', 'unknown']);
      const last = await tasks.enqueue(send('d'));
      await mail.obliterate({ force: true });
      expect(await last.state()).toBe('unknown');
    });

    it('bull-board lists jobs through its adapter', async () => {
      const { tasks, mail } = await startWithQueue();
      const done = await tasks.enqueue(send('Ada'));
      await done.result({ timeout: '10s' });
      const lost = await tasks.enqueue(flaky());
      await expect(lost.result({ timeout: '10s' })).rejects.toThrow(TaskFailedError);
      const board = new BullAdapter(mail);
      expect(await board.getJobCounts()).toMatchObject({ completed: 1, failed: 1 });
      const listed = await board.getJobs(['completed', 'failed'], 0, 10);
      expect(new Set(listed.map((job) => job.toJSON().id))).toEqual(new Set([done.id, lost.id]));
    });
  });
});

describe('On the embedded engine', () => {
  function warnings(): LoggerService & { lines: string[] } {
    const lines: string[] = [];
    const ignore = (): void => undefined;
    return { lines, warn: (line: string) => void lines.push(line), log: ignore, error: ignore };
  }

  @Injectable()
  class Admin {
    constructor(@InjectQueue('mail') readonly mail: Queue) {}
  }

  @Processor('mail')
  class Listeners {
    @OnQueueCompleted() completed(): void {}
    @OnGlobalQueueFailed() failed(): void {}
  }

  const queues = { mail: {} };
  const modules = [
    ['forRoot', () => TasksModule.forRoot({ queues })],
    ['forRootAsync', () => TasksModule.forRootAsync({ queues: ['mail'], useFactory: () => ({ queues }) })],
  ] as const;

  it.each(modules)('an app with @InjectQueue() and listeners boots by %s and works', async (_by, module) => {
    const app = await boot([module()], [MailTasks, Admin, Listeners]);
    const job = await app.get(TaskQueue).enqueue(send('Ada'));
    expect(await job.result({ timeout: '10s' })).toEqual({ sent: 'Ada' });
    await app.close();
  });

  it.each(modules)('using the injected queue says why it is not there, by %s', async (_by, module) => {
    const { mail } = (await boot([module()], [MailTasks, Admin])).get(Admin);
    expect(() => mail.add('MailTasks.send', 'Ada')).toThrow(InvalidOptionsError);
    expect(() => mail.getJobCounts()).toThrow(/'mail'.*embedded engine.*Set redis/);
  });

  it('listeners warn once that they hear nothing', async () => {
    const logger = warnings();
    const [, [, forRootAsync]] = modules;
    await boot([forRootAsync()], [MailTasks, Admin, Listeners], logger);
    expect(logger.lines.filter((line) => line.includes(`queue 'mail' hear nothing`))).toHaveLength(1);
  });
});
