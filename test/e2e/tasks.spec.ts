import { Controller, Get, Injectable, Module, Param, Post, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { INestApplication } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Ctx,
  Discard,
  ResultNotFoundError,
  ResultTimeoutError,
  Retry,
  Snooze,
  Task,
  task,
  TaskContext,
  TaskFailedError,
  TaskQueue,
  TasksModule,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { listen, json } from '../support/app.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/eventually.js';

class NetworkError extends Error {}

@Injectable()
class Greeter {
  greet(name: string): string {
    return `Hello ${name}!`;
  }
}

@Injectable()
class MailTasks {
  readonly runs: string[] = [];

  constructor(
    private readonly greeter: Greeter,
    private readonly queue: TaskQueue,
  ) {}

  @Task({ queue: 'mail' })
  async send(name: string, @Ctx() context: TaskContext): Promise<{ text: string; attempt: number }> {
    await context.progress({ half: true });
    await context.log(`to ${name}`);
    return { text: this.greeter.greet(name), attempt: context.attempt };
  }

  @Task({ attempts: 3, backoff: '10ms' })
  flaky(failures: number, @Ctx() context: TaskContext): number {
    if (context.attempt <= failures) throw new RangeError(`Attempt ${context.attempt} failed.`);
    return context.attempt;
  }

  @Task()
  steered(by: 'retry' | 'snooze' | 'discard', @Ctx() context: TaskContext): number {
    this.runs.push(by);
    if (this.runs.length > 1) return context.attempt;
    if (by === 'retry') throw new Retry({ delay: '10ms' });
    if (by === 'snooze') throw new Snooze('10ms');
    throw new Discard('Not worth it.');
  }

  @Task({ attempts: 5, backoff: '10ms', retryOn: [NetworkError] })
  picky(): void {
    this.runs.push('picky');
    throw new TypeError('Not the network.');
  }

  @Task({ attempts: 5, backoff: '10ms', discardOn: [TypeError] })
  discarding(): void {
    this.runs.push('discarding');
    throw new TypeError('Hopeless.');
  }

  @Task({ timeout: '100ms', attempts: 1 })
  async slow(@Ctx() context: TaskContext): Promise<never> {
    return new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
    });
  }

  @Task()
  async parent(depth: number): Promise<number> {
    if (depth === 0) return 0;
    const child = await this.queue.enqueue(task(MailTasks).parent(depth - 1));
    return 1 + (await child.result({ timeout: '10s' }));
  }

  @Task({ keepResult: false })
  forgotten(): string {
    return 'gone';
  }

  @Task()
  async where(): Promise<string | undefined> {
    await Promise.resolve();
    return TaskContext.current()?.metadata.tenant;
  }

  @Task()
  nothing(): void {}
}

@Controller('users')
class UsersController {
  constructor(private readonly queue: TaskQueue) {}

  @Post(':name/welcome')
  async welcome(@Param('name') name: string): Promise<{ jobId: string; status: string }> {
    const job = await this.queue.enqueue(task(MailTasks).send(name));
    return { jobId: job.id, status: 'queued' };
  }

  @Get('jobs/:id')
  async info(@Param('id') id: string): Promise<unknown> {
    return this.queue.job(id).info();
  }
}

describe.each(ENGINES)('a typed task on the %s engine', (_name, engine) => {
  let app: INestApplication;

  afterEach(() => app?.close());

  function appModule(options: TasksModuleOptions): DynamicModule {
    @Module({})
    class AppModule {}
    return {
      module: AppModule,
      imports: [TasksModule.forRoot({ ...engine(), queues: { mail: { concurrency: 4 } }, ...options })],
      controllers: [UsersController],
      providers: [MailTasks, Greeter],
    };
  }

  async function start(options: TasksModuleOptions = {}): Promise<TaskQueue> {
    const testing = await Test.createTestingModule({ imports: [appModule(options)] }).compile();
    app = testing.createNestApplication({ logger: false });
    await app.init();
    return app.get(TaskQueue);
  }

  it('goes from a controller to a worker and back', async () => {
    await start();
    const url = await listen(app);
    const answer = await json<{ jobId: string; status: string }>(
      await fetch(`${url}/users/Ada/welcome`, { method: 'POST' }),
      201,
    );
    expect(answer).toEqual({ jobId: expect.any(String) as string, status: 'queued' });
    const info = await eventually(async () => {
      const read = await json<{ state: string }>(await fetch(`${url}/users/jobs/${answer.jobId}`), 200);
      expect(read.state).toBe('completed');
      return read;
    });
    expect(info).toMatchObject({
      id: answer.jobId,
      task: 'MailTasks.send',
      queue: 'mail',
      args: ['Ada'],
      attempts: 3,
      progress: { half: true },
      logs: ['to Ada'],
      result: { text: 'Hello Ada!', attempt: 1 },
      runs: [{ attempt: 1, outcome: 'completed' }],
    });
  });

  it('answers its result to whoever waits', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).send('Bob'));
    expect(await job.result({ timeout: '10s' })).toEqual({ text: 'Hello Bob!', attempt: 1 });
    expect(await queue.job(job.id).result()).toEqual({ text: 'Hello Bob!', attempt: 1 });
  });

  it('answers undefined where the method answers nothing', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).nothing());
    expect(await job.result({ timeout: '10s' })).toBeUndefined();
    expect(await job.result()).toBeUndefined();
  });

  it('is tried again until it succeeds, with a record of each failure', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).flaky(2));
    expect(await job.result({ timeout: '10s' })).toBe(3);
    expect((await job.info())?.runs).toMatchObject([
      { attempt: 1, outcome: 'retry', error: { name: 'RangeError', message: 'Attempt 1 failed.' } },
      { attempt: 2, outcome: 'retry', error: { message: 'Attempt 2 failed.' } },
      { attempt: 3, outcome: 'completed' },
    ]);
  });

  it('fails after its last attempt, and tells the original error', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).flaky(9), { attempts: 2 });
    const failure: unknown = await job.result({ timeout: '10s' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TaskFailedError);
    expect(failure).toMatchObject({
      code: 'TASKS_TASK_FAILED',
      cause: { name: 'RangeError', message: 'Attempt 2 failed.' },
      job: { id: job.id, runs: [{ attempt: 1 }, { attempt: 2 }], args: [9] },
    });
    expect(await job.state()).toBe('failed');
  });

  it.each([
    ['retry', 2],
    ['snooze', 1],
  ] as const)('can ask for a %s, and then runs as attempt %i', async (by, attempt) => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).steered(by));
    expect(await job.result({ timeout: '10s' })).toBe(attempt);
  });

  it('can discard itself, whatever attempts are left', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).steered('discard'));
    await expect(job.result({ timeout: '10s' })).rejects.toMatchObject({
      job: { error: { name: 'Discard', message: 'Not worth it.' }, runs: [{ outcome: 'failed' }] },
    });
  });

  it.each(['picky', 'discarding'] as const)('is not tried again for an error of the wrong class (%s)', async (name) => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks)[name]());
    await expect(job.result({ timeout: '10s' })).rejects.toThrow(TaskFailedError);
    expect(app.get(MailTasks).runs).toEqual([name]);
  });

  it('is aborted at its timeout', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).slow());
    await expect(job.result({ timeout: '10s' })).rejects.toMatchObject({ cause: { name: 'TaskTimeoutError' } });
  });

  it('may wait for its children, however deep, with one slot', async () => {
    const queue = await start({ queues: { default: { concurrency: 1 }, mail: {} } });
    const job = await queue.enqueue(task(MailTasks).parent(5));
    expect(await job.result({ timeout: '15s' })).toBe(5);
  });

  it('runs after its delay, and not before', async () => {
    const queue = await start();
    const before = Date.now();
    const job = await queue.enqueue(task(MailTasks).send('later'), { delay: '300ms' });
    expect(await job.state()).toBe('delayed');
    expect((await job.info())?.dueAt?.getTime()).toBeGreaterThanOrEqual(before + 300);
    await job.result({ timeout: '10s' });
    expect((await job.info())!.startedAt!.getTime()).toBeGreaterThanOrEqual(before + 299);
  });

  it('gives its result to who waited, and is then forgotten, with keepResult: false', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).forgotten(), { delay: '200ms' });
    expect(await job.result({ timeout: '10s' })).toBe('gone');
    await eventually(async () => expect(await job.state()).toBe('unknown'));
    await expect(job.result({ timeout: '10s' })).rejects.toThrow(ResultNotFoundError);
    expect(await job.info()).toBeUndefined();
  });

  it('is one job per jobId while it is known', async () => {
    const queue = await start({ worker: false });
    const first = await queue.enqueue(task(MailTasks).send('Ada'), { jobId: 'user:42' });
    const second = await queue.enqueue(task(MailTasks).send('Bob'), { jobId: 'user:42' });
    expect([first.deduplicated, second.deduplicated, second.id]).toEqual([false, true, 'user:42']);
    expect((await second.info())?.args).toEqual(['Ada']);
  });

  it('waits where no process works, and says so when the time is up', async () => {
    const queue = await start({ worker: false });
    const job = await queue.enqueue(task(MailTasks).send('Ada'));
    await expect(job.result({ timeout: '50ms' })).rejects.toThrow(ResultTimeoutError);
    expect(await job.state()).toBe('waiting');
  });

  it('runs only the queues that this process works', async () => {
    const queue = await start({ worker: { queues: ['mail'] } });
    const waiting = await queue.enqueue(task(MailTasks).nothing());
    const done = await queue.enqueue(task(MailTasks).send('Ada'));
    await done.result({ timeout: '10s' });
    expect(await waiting.state()).toBe('waiting');
  });

  it('is enqueued with many others in one call', async () => {
    const queue = await start();
    const { send, flaky } = task(MailTasks);
    const [mail, number] = await queue.enqueueMany([send('Ada'), flaky(0)]);
    expect(await mail.result({ timeout: '10s' })).toEqual({ text: 'Hello Ada!', attempt: 1 });
    expect(await number.result({ timeout: '10s' })).toBe(1);
  });

  it('reads its metadata from the context, wherever it is', async () => {
    const queue = await start();
    const job = await queue.enqueue(
      task(MailTasks)
        .where()
        .with({ metadata: { tenant: 'acme' } }),
    );
    expect(await job.result({ timeout: '10s' })).toBe('acme');
  });

  it('tells its progress while it runs', async () => {
    const queue = await start();
    const job = await queue.enqueue(task(MailTasks).send('Ada'), { delay: '100ms' });
    const values: unknown[] = [];
    await new Promise<void>((resolve) =>
      job.progress$.subscribe({ next: (value) => values.push(value), complete: resolve }),
    );
    expect(values).toEqual([{ half: true }]);
  });

  it('serves 1,000 waiting results without a listener warning', async () => {
    const queue = await start({ queues: { default: { concurrency: 100 }, mail: {} } });
    const warnings = vi.fn();
    process.on('warning', warnings);
    const jobs: readonly JobHandle<number>[] = await queue.enqueueMany(
      Array.from({ length: 1_000 }, () => task(MailTasks).flaky(0)),
    );
    const results = await Promise.all(jobs.map((job) => job.result({ timeout: '20s' })));
    expect(results).toHaveLength(1_000);
    process.off('warning', warnings);
    expect(warnings).not.toHaveBeenCalled();
  });
});
