import { Module, type INestApplicationContext, type LoggerService, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import {
  Ctx,
  EngineUnavailableError,
  ResultNotFoundError,
  Task,
  task,
  TaskContext,
  TaskQueue,
  TasksModule,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { startProgram, type Child } from '../support/child.js';
import { deferred, eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { freshPrefix } from '../support/redis.js';

const opened: INestApplicationContext[] = [];
const children: Child[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
  await Promise.all(children.splice(0).map((child) => child.kill('SIGKILL')));
});

async function boot(
  options: TasksModuleOptions,
  providers: Provider[],
  logger: LoggerService | false = false,
): Promise<INestApplicationContext> {
  @Module({ imports: [TasksModule.forRoot(options)], providers })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  opened.push(app);
  return app;
}

/** Starts a program in TypeScript that uses the built package, as an app does; `options` stands in it by that name. */
function start(options: TasksModuleOptions, body: string): Child {
  const head = `
    import 'reflect-metadata';
    import { Injectable, Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { InjectQueue, OnGlobalQueueFailed, OnQueueCompleted, Processor } from '@nestjs/bull';
    import { Ctx, Task, task, TaskContext, TaskQueue, TasksModule } from 'nestjs-tasks';
    const options = JSON.parse(process.env.TASKS_OPTIONS);
  `;
  const env = { TASKS_OPTIONS: JSON.stringify(options) };
  const child = startProgram(head + body, env);
  children.push(child);
  return child;
}

beforeAll(ensureBuilt, 180_000);

describe('A worker without the task', () => {
  it('puts a job back and burns none of its attempts', async () => {
    class NewTasks {
      @Task({ name: 'deploy.new', attempts: 1 }) run(@Ctx() context: TaskContext): number {
        return context.attempt;
      }
    }
    const options = { redis: inject('redisUrl'), prefix: freshPrefix() };
    const old = await boot(options, []);
    const api = await boot({ ...options, worker: false }, [NewTasks]);
    const job = await api.get(TaskQueue).enqueue(task(NewTasks).run());
    await eventually(async () =>
      expect(await job.info()).toMatchObject({ state: 'delayed', runs: [{ attempt: 1, outcome: 'snooze' }] }),
    );
    await old.close();
    await boot(options, [NewTasks]);
    expect(await job.result({ timeout: '10s' })).toBe(1);
  });
});

describe('A worker process that dies', () => {
  const LOCK = 1_000;
  const CHECK = 500;
  let options: TasksModuleOptions;

  beforeEach(() => {
    options = {
      redis: inject('redisUrl'),
      prefix: freshPrefix(),
      lockDuration: LOCK,
      stalledInterval: CHECK,
      defaults: { attempts: 1 },
    };
  });

  class CrashTasks {
    @Task({ name: 'crash.run' }) run(): string {
      return 'recovered';
    }
  }

  const worker = (run: string): Child =>
    start(
      options,
      `
      class CrashTasks {
        @Task({ name: 'crash.run' }) run() { ${run} }
      }
      @Module({ imports: [TasksModule.forRoot(options)], providers: [CrashTasks] })
      class AppModule {}
      await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
      console.log('READY');
    `,
    );

  it('gives its job to another within lock and check, on record and without using an attempt', async () => {
    const api = await boot({ ...options, worker: false }, [CrashTasks]);
    const dying = worker(`console.log('RUNNING'); return new Promise(() => setTimeout(() => {}, 1e6));`);
    const job = await api.get(TaskQueue).enqueue(task(CrashTasks).run());
    await dying.printed(/RUNNING/);
    await boot(options, [CrashTasks]);
    // Renewed locks keep the job with its worker for longer than one lock lasts.
    const { startedAt } = (await job.info())!;
    await eventually(() => expect(Date.now() - startedAt!.getTime()).toBeGreaterThan(LOCK + CHECK));
    expect(await job.state()).toBe('active');

    const killedAt = Date.now();
    expect(await dying.kill('SIGKILL')).toBe('SIGKILL');
    expect(await job.result({ timeout: '10s' })).toBe('recovered');
    expect(Date.now() - killedAt).toBeLessThan(LOCK + CHECK + 500);
    expect(await job.info()).toMatchObject({
      state: 'completed',
      crashes: 1,
      runs: [
        { attempt: 1, outcome: 'crashed', worker: expect.stringContaining(`:${dying.pid}`) as string },
        { attempt: 1, outcome: 'completed', worker: expect.stringContaining(`:${process.pid}`) as string },
      ],
    });
  });

  it('each time that it runs a job fails that job after maxCrashes, with the reason', async () => {
    const api = await boot({ ...options, worker: false }, [CrashTasks]);
    const job = await api.get(TaskQueue).enqueue(task(CrashTasks).run());
    for (let death = 1; death <= 3; death++) {
      expect(await worker(`process.kill(process.pid, 'SIGKILL');`).ended(10_000)).toBe('SIGKILL');
    }
    const survivor = worker(`process.kill(process.pid, 'SIGKILL');`);
    await expect(job.result({ timeout: '15s' })).rejects.toMatchObject({
      code: 'TASKS_TASK_FAILED',
      job: { error: { name: 'TaskCrashedError', code: 'TASKS_TASK_CRASHED' } },
    });
    const info = (await job.info())!;
    expect(info.crashes).toBe(3);
    expect(info.runs.map(({ outcome }) => outcome)).toEqual(['crashed', 'crashed', 'crashed', 'failed']);
    await survivor.printed(/READY/);
  }, 40_000);
});

describe('Results', () => {
  class FastTasks {
    @Task({ keepResult: false }) forgotten(value: number): number {
      return value;
    }
    @Task() kept(value: number): number {
      return value;
    }
  }
  let queue: TaskQueue;

  beforeEach(async () => {
    const app = await boot({ redis: inject('redisUrl'), prefix: freshPrefix() }, [FastTasks]);
    queue = app.get(TaskQueue);
  });

  const { forgotten, kept } = task(FastTasks);
  const numbers = Array.from({ length: 100 }, (_one, index) => index);

  it('that are not kept come or are told to be gone, and never hang', async () => {
    const ask = async (value: number): Promise<void> => {
      const job = await queue.enqueue(forgotten(value));
      const answer: unknown = await job.result({ timeout: '3s' }).catch((error: unknown) => error);
      if (!(answer instanceof ResultNotFoundError)) expect(answer).toBe(value);
    };
    for (const value of numbers) await ask(value);
    await Promise.all(numbers.map(ask));
  });

  it('that are not kept come to whoever waited before the end', async () => {
    const jobs = await queue.enqueueMany(numbers.map((value) => forgotten(value).with({ delay: '100ms' })));
    expect(await Promise.all(jobs.map((job) => job.result({ timeout: '5s' })))).toEqual(numbers);
  });

  it('of 100 fast jobs never take seconds, one after another or all at once', async () => {
    const took: number[] = [];
    const ask = async (value: number): Promise<void> => {
      const before = performance.now();
      const job = await queue.enqueue(kept(value));
      expect(await job.result({ timeout: '10s' })).toBe(value);
      took.push(performance.now() - before);
    };
    for (const value of numbers) await ask(value);
    await Promise.all(numbers.map(ask));
    expect(took).toHaveLength(200);
    expect(Math.max(...took)).toBeLessThan(1_000);
  });
});

describe('Redis that is not there at boot', () => {
  it.each([
    ['and nothing else uses it', ''],
    ['and @nestjs/bull listeners and injected queues use it too', 'Listeners'],
  ])('lets the app start, refuse calls in time, and end, %s', async (_who, providers) => {
    const options = { redis: `redis://127.0.0.1:${await freePort()}`, prefix: freshPrefix(), enqueueTimeout: 500 };
    const child = start(
      options,
      `
      class Tasks { @Task() run() {} }
      @Processor('default')
      class Listeners {
        constructor(@InjectQueue('default') readonly queue: object) {}
        @OnQueueCompleted() completed() {}
        @OnGlobalQueueFailed() failed() {}
      }
      @Module({ imports: [TasksModule.forRoot(options)], providers: [Tasks, ${providers}] })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule);
      const before = performance.now();
      const error = await app.get(TaskQueue).enqueue(task(Tasks).run(), { jobId: 'mine' }).catch((error) => error);
      console.log('ANSWER ' + JSON.stringify({ ...error, took: performance.now() - before }));
      await app.close();
      console.log('CLOSED');
    `,
    );
    const [, answer] = await child.printed(/ANSWER (.*)/);
    const { took, ...error } = JSON.parse(answer) as { took: number };
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: false, jobId: 'mine' });
    expect(took).toBeGreaterThanOrEqual(490);
    expect(took).toBeLessThan(1_000);
    await child.printed(/CLOSED/);
    // An unhandled rejection would make it 1.
    expect(await child.ended(3_000)).toBe(0);
    expect(child.output.match(/Redis is away/g)).toHaveLength(1);
    expect(child.output).not.toMatch(/unhandled|Outcomes could not be written/i);
  });
});

describe('Redis that goes away', () => {
  let port: number;
  let folder: string;
  let server: ChildProcess;

  beforeEach(async () => {
    port = await freePort();
    folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-trap-'));
    await startServer();
  });

  afterEach(async () => {
    await killServer();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startServer(): Promise<void> {
    const kept = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    server = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...kept], {
      stdio: 'ignore',
    });
    const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    await client.ping();
    client.disconnect();
  }

  async function killServer(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  function recorder(): LoggerService & { lines: string[] } {
    const lines: string[] = [];
    const keep = (line: unknown): void => void lines.push(String(line));
    return { lines, log: keep, warn: keep, error: keep };
  }

  class OutageTasks {
    static readonly started = { at: 0 };
    static gate = deferred();

    @Task() quick(value: number): number {
      return value;
    }

    @Task() async long(): Promise<string> {
      OutageTasks.started.at = Date.now();
      await OutageTasks.gate.promise;
      return 'finished in the outage';
    }
  }
  const { quick, long } = task(OutageTasks);

  async function startApp() {
    OutageTasks.gate = deferred();
    OutageTasks.started.at = 0;
    const logger = recorder();
    const options = { redis: `redis://127.0.0.1:${port}`, prefix: freshPrefix(), enqueueTimeout: 500 };
    const app = await boot(options, [OutageTasks], logger);
    const queue = app.get(TaskQueue);
    expect(await (await queue.enqueue(quick(1))).result({ timeout: '10s' })).toBe(1);
    return { app, queue, lines: logger.lines };
  }

  async function refusal(queue: TaskQueue): Promise<{ error: unknown; took: number }> {
    const before = performance.now();
    const error: unknown = await queue.enqueue(quick(2)).catch((reason: unknown) => reason);
    return { error, took: performance.now() - before };
  }

  it('is waited for: calls are refused in time, and workers go on within 5 s by themselves', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const { queue, lines } = await startApp();
    const logged = lines.length;
    const running = await queue.enqueue(long());
    await eventually(() => expect(OutageTasks.started.at).toBeGreaterThan(0));
    const later = await queue.enqueue(quick(3), { delay: '1s' });

    await killServer();
    for (let call = 0; call < 3; call++) {
      const { error, took } = await refusal(queue);
      expect(error).toBeInstanceOf(EngineUnavailableError);
      expect(error).toMatchObject({ jobId: expect.any(String) as string });
      expect(took).toBeLessThan(1_000);
    }
    expect((await refusal(queue)).error).toMatchObject({ sent: false });
    OutageTasks.gate.resolve();

    await startServer();
    const backAt = Date.now();
    const job = await eventually(() => queue.enqueue(quick(4)), { timeout: 5_000 });
    expect(await job.result({ timeout: '5s' })).toBe(4);
    expect(await running.result({ timeout: '5s' })).toBe('finished in the outage');
    expect(await later.result({ timeout: '5s' })).toBe(3);
    expect(Date.now() - backAt).toBeLessThan(5_000);
    // The outcome that could not be written at once is written late, and the job is not run again.
    expect((await running.info())!.runs).toMatchObject([{ attempt: 1, outcome: 'completed' }]);

    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    const outage = lines.slice(logged);
    expect(outage.filter((line) => line.includes('Redis is away'))).toHaveLength(1);
    expect(outage.filter((line) => line.includes('Redis is back'))).toHaveLength(1);
    expect(outage.length, outage.join('\n')).toBeLessThanOrEqual(10);
  });

  it('does not keep the app from closing', async () => {
    const { app, lines } = await startApp();
    const logged = lines.length;
    await killServer();
    const before = performance.now();
    await app.close();
    expect(performance.now() - before).toBeLessThan(2_500);
    expect(lines.slice(logged).filter((line) => line.includes('Outcomes could not be written'))).toEqual([]);
  });

  it('and holds its connections open is noticed: a call is refused in time and says that it may have been sent', async () => {
    const { queue } = await startApp();
    server.kill('SIGSTOP');
    const { error, took } = await refusal(queue);
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: true, jobId: expect.any(String) as string });
    expect(took).toBeLessThan(1_000);
    server.kill('SIGCONT');
    const job = await eventually(() => queue.enqueue(quick(5)), { timeout: 5_000 });
    expect(await job.result({ timeout: '10s' })).toBe(5);
  });
});
