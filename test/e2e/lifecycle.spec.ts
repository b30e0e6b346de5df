import {
  Controller,
  Global,
  Inject,
  Injectable,
  Module,
  Post,
  type INestApplication,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import {
  Ctx,
  Task,
  task,
  TaskContext,
  TaskQueue,
  TasksModule,
  TaskShutdownError,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { json, listen } from '../support/app.js';
import { startProgram, type Child } from '../support/child.js';
import { ENGINES } from '../support/engines.js';
import { deferred, eventually } from '../support/eventually.js';
import { freshPrefix } from '../support/redis.js';

const opened: INestApplication[] = [];
afterEach(() => Promise.all(opened.splice(0).map((app) => app.close())));

async function create(metadata: ModuleMetadata): Promise<INestApplication> {
  const testing = await Test.createTestingModule(metadata).compile();
  const app = testing.createNestApplication({ logger: false });
  opened.push(app);
  return app;
}

/** Long enough for a worker that is free to take a job: on Redis it needs one round trip. */
async function linger(job: JobHandle): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await job.state();
    await new Promise(setImmediate);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

describe.each(ENGINES)('An app on the %s engine', (name, engine) => {
  it('runs no job before every provider of every module is bootstrapped', async () => {
    const events: string[] = [];
    class EarlyTasks {
      @Task() run(): void {
        events.push('job');
      }
    }
    @Injectable()
    class Seeder implements OnModuleInit {
      job!: JobHandle<void>;
      constructor(private readonly queue: TaskQueue) {}
      async onModuleInit(): Promise<void> {
        this.job = await this.queue.enqueue(task(EarlyTasks).run());
      }
    }
    /** A hook that takes its time. */
    abstract class Slow implements OnApplicationBootstrap {
      @Inject(Seeder) private readonly seeder!: Seeder;
      async onApplicationBootstrap(): Promise<void> {
        await linger(this.seeder.job);
        events.push(this.constructor.name);
      }
    }
    class GlobalProvider extends Slow {}
    @Global()
    @Module({ providers: [GlobalProvider, Seeder], exports: [Seeder] })
    class GlobalModule extends Slow {}
    class FeatureProvider extends Slow {}
    @Module({ providers: [FeatureProvider] })
    class FeatureModule extends Slow {}
    class RootProvider extends Slow {}
    @Module({
      imports: [TasksModule.forRoot(engine()), GlobalModule, FeatureModule],
      providers: [RootProvider, EarlyTasks],
    })
    class RootModule extends Slow {}

    const app = await create({ imports: [RootModule] });
    await app.init();
    await app.get(Seeder).job.result({ timeout: '10s' });
    const hooks = [GlobalModule, GlobalProvider, FeatureModule, FeatureProvider, RootModule, RootProvider];
    expect(events.slice(0, -1).toSorted()).toEqual(hooks.map((hook) => hook.name).toSorted());
    expect(events.at(-1)).toBe('job');
  });

  it('is drained before any provider is destroyed', async () => {
    const events: string[] = [];
    const started = deferred();
    const gate = deferred();
    /** What a task uses and its owner closes. */
    abstract class Connection implements OnModuleDestroy {
      private isOpen = true;
      use(): void {
        events.push(this.isOpen ? 'used' : `${this.constructor.name} was closed`);
      }
      onModuleDestroy(): void {
        this.isOpen = false;
        events.push('closed');
      }
    }
    class GlobalConnection extends Connection {}
    @Global()
    @Module({ providers: [GlobalConnection], exports: [GlobalConnection] })
    class GlobalModule {}
    class FeatureConnection extends Connection {}
    @Module({ providers: [FeatureConnection], exports: [FeatureConnection] })
    class FeatureModule {}
    class RootConnection extends Connection {}
    @Injectable()
    class LongTasks {
      private readonly connections: readonly Connection[];
      constructor(ofGlobal: GlobalConnection, ofFeature: FeatureConnection, ofRoot: RootConnection) {
        this.connections = [ofGlobal, ofFeature, ofRoot];
      }
      @Task() async run(): Promise<void> {
        started.resolve();
        await gate.promise;
        for (const connection of this.connections) connection.use();
      }
    }
    const app = await create({
      imports: [GlobalModule, FeatureModule, TasksModule.forRoot(engine())],
      providers: [RootConnection, LongTasks],
    });
    await app.init();
    const job = await app.get(TaskQueue).enqueue(task(LongTasks).run());
    await started.promise;
    const closing = app.close();
    await linger(job);
    gate.resolve();
    await closing;
    expect(events).toEqual(['used', 'used', 'used', 'closed', 'closed', 'closed']);
  });

  it('takes jobs of a request in flight while it shuts down', async () => {
    const entered = deferred();
    const gate = deferred();
    class SlowTasks {
      @Task() run(): string {
        return 'done';
      }
    }
    @Controller()
    class SlowController {
      constructor(private readonly queue: TaskQueue) {}
      @Post()
      async enqueue(): Promise<{ jobId: string }> {
        entered.resolve();
        await gate.promise;
        return { jobId: (await this.queue.enqueue(task(SlowTasks).run())).id };
      }
    }
    const options: TasksModuleOptions = engine();
    const app = await create({
      imports: [TasksModule.forRoot(options)],
      controllers: [SlowController],
      providers: [SlowTasks],
    });
    const url = await listen(app);
    const first = await app.get(TaskQueue).enqueue(task(SlowTasks).run());
    const request = fetch(url, { method: 'POST', headers: { connection: 'close' } });
    await entered.promise;
    const closing = app.close();
    await linger(first);
    gate.resolve();
    const { jobId } = await json<{ jobId: string }>(await request, 201);
    await closing;
    expect(jobId).toEqual(expect.any(String));
    if (name !== 'bull') return;

    const other = await create({ imports: [TasksModule.forRoot(options)], providers: [SlowTasks] });
    await other.init();
    expect(await other.get(TaskQueue).job(jobId).result({ timeout: '10s' })).toBe('done');
  });

  it('may be closed twice, at once and later', async () => {
    const app = await create({ imports: [TasksModule.forRoot(engine())] });
    await app.init();
    await Promise.all([app.close(), app.close()]);
    await app.close();
    await expect(app.get(TaskQueue).job('any').state()).rejects.toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE' });
  });

  it('may be closed before it was started', async () => {
    const app = await create({ imports: [TasksModule.forRoot(engine())] });
    await app.close();
  });

  it('is closed within a second when it is idle', async () => {
    class IdleTasks {
      @Task() run(): void {}
    }
    const options = engine();
    const app = await create({ imports: [TasksModule.forRoot(options)], providers: [IdleTasks] });
    await app.init();
    await (await app.get(TaskQueue).enqueue(task(IdleTasks).run())).result({ timeout: '10s' });
    if (name === 'bull') await becomesIdle(options.prefix!);
    expect(await timed(() => app.close())).toBeLessThan(1_000);
  });

  it('aborts what still runs after shutdownGrace, and waits for its end', async () => {
    const started = deferred();
    let reason: unknown;
    class StubbornTasks {
      @Task() async run(@Ctx() context: TaskContext): Promise<void> {
        started.resolve();
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
        reason = context.signal.reason;
        throw reason;
      }
    }
    const app = await create({
      imports: [TasksModule.forRoot({ ...engine(), shutdownGrace: '50ms' })],
      providers: [StubbornTasks],
    });
    await app.init();
    await app.get(TaskQueue).enqueue(task(StubbornTasks).run());
    await started.promise;
    expect(await timed(() => app.close())).toBeLessThan(1_000);
    expect(reason).toBeInstanceOf(TaskShutdownError);
    expect(reason).toMatchObject({ code: 'TASKS_SHUTDOWN' });
  });

  it('is not held up by a task that ignores its signal', async () => {
    const started = deferred();
    const gate = deferred();
    class DeafTasks {
      @Task() async run(): Promise<void> {
        started.resolve();
        await gate.promise;
      }
    }
    const app = await create({
      imports: [TasksModule.forRoot({ ...engine(), shutdownGrace: '50ms' })],
      providers: [DeafTasks],
    });
    await app.init();
    await app.get(TaskQueue).enqueue(task(DeafTasks).run());
    await started.promise;
    expect(await timed(() => app.close())).toBeLessThan(2_000);
    gate.resolve();
  });
});

/** Resolves when a worker of that prefix sits in its blocking read. */
async function becomesIdle(prefix: string): Promise<void> {
  const redis = new Redis(inject('redisUrl'));
  await eventually(async () => {
    const clients = String(await redis.client('LIST')).split('\n');
    expect(clients.filter((line) => line.includes(`name=${prefix}:`) && line.includes('cmd=brpoplpush'))).toHaveLength(
      1,
    );
  });
  redis.disconnect();
}

describe('A job that outlives shutdownGrace', () => {
  it.each([
    ['obeys', true],
    ['ignores', false],
  ])('is taken by another worker at once and has used no attempt, when it %s its signal', async (_does, obeys) => {
    const options: TasksModuleOptions = {
      redis: inject('redisUrl'),
      prefix: freshPrefix(),
      shutdownGrace: '50ms',
      defaults: { attempts: 1 },
    };
    const gate = deferred();
    const attempts: number[] = [];
    class HandedOverTasks {
      @Task() async run(@Ctx() context: TaskContext): Promise<string> {
        attempts.push(context.attempt);
        if (attempts.length > 1) return 'done elsewhere';
        await new Promise<void>((resolve) => {
          void gate.promise.then(resolve);
          if (obeys) context.signal.addEventListener('abort', () => resolve());
        });
        context.signal.throwIfAborted();
        return 'too late';
      }
    }
    const start = async (): Promise<INestApplication> => {
      const app = await create({ imports: [TasksModule.forRoot(options)], providers: [HandedOverTasks] });
      await app.init();
      return app;
    };
    const first = await start();
    const { id } = await first.get(TaskQueue).enqueue(task(HandedOverTasks).run());
    await eventually(() => expect(attempts).toEqual([1]));
    const second = await start();
    await first.close();
    const job = second.get(TaskQueue).job(id);
    expect(await job.result({ timeout: '10s' })).toBe('done elsewhere');
    gate.resolve();
    expect(attempts).toEqual([1, 1]);
    const runs = (await job.info())!.runs;
    expect(runs).toMatchObject([
      { attempt: 1, outcome: 'shutdown' },
      { attempt: 1, outcome: 'completed' },
    ]);
    expect(runs[1].startedAt.getTime() - runs[0].endedAt!.getTime()).toBeLessThan(1_000);
  });
});

describe('A process', () => {
  const children: Child[] = [];

  beforeAll(ensureBuilt, 180_000);
  afterEach(() => Promise.all(children.splice(0).map((child) => child.kill('SIGKILL'))));

  const HEAD = `
    import 'reflect-metadata';
    import { Injectable, Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { Ctx, Task, task, TaskContext, TaskQueue, TasksModule } from 'nestjs-tasks';
    const { TASKS_REDIS: redis, TASKS_PREFIX: prefix } = process.env;
    const options = redis ? { redis, prefix } : {};
  `;

  /** Starts a program in TypeScript that uses the built package, as an app does. */
  function start(redis: string, body: string): Child {
    const env = { TASKS_REDIS: redis, TASKS_PREFIX: freshPrefix() };
    const child = startProgram(HEAD + body, env);
    children.push(child);
    return child;
  }

  describe.each([
    ['the embedded engine', ''],
    ['Redis', inject('redisUrl')],
  ])('on %s', (_on, redis) => {
    it('ends by itself when its app is closed', async () => {
      const child = start(
        redis,
        `
        class Tasks { @Task() run() { return 'ran'; } }
        @Module({ imports: [TasksModule.forRoot({ ...options, queues: { mail: {} } })], providers: [Tasks] })
        class AppModule {}
        const app = await NestFactory.create(AppModule);
        await app.init();
        const job = await app.get(TaskQueue).enqueue(task(Tasks).run());
        console.log(await job.result());
        await app.get(TaskQueue).enqueue(task(Tasks).run(), { delay: '1h' });
        await app.close();
        console.log('closed');
      `,
      );
      await child.printed(/closed/);
      expect(await child.ended(1_000)).toBe(0);
      expect(child.output).toContain('ran');
    });

    it.each([
      ['wrong options', `TasksModule.forRoot({ ...options, worker: { queues: ['nobody'] } })`, ''],
      ['a wrong task', 'TasksModule.forRoot(options)', ''],
      [
        'a wrong task and a call of it in onModuleInit',
        'TasksModule.forRoot(options)',
        'await this.queue.enqueue(task(Tasks).run());',
      ],
    ])('ends by itself when the boot fails for %s', async (_reason, module, inInit) => {
      const child = start(
        redis,
        `
        class Tasks { @Task({ queue: 'nowhere' }) run() {} }
        @Injectable()
        class Seeder {
          constructor(private readonly queue: TaskQueue) {}
          async onModuleInit() { ${inInit} }
        }
        @Module({ imports: [${module}], providers: [Tasks, Seeder] })
        class AppModule {}
        await NestFactory.createApplicationContext(AppModule, { abortOnError: false }).catch((error) => console.log('CODE ' + error.code));
      `,
      );
      await child.printed(/CODE TASKS_CONFIGURATION/);
      expect(await child.ended(3_000)).toBe(0);
    });

    const LONG = (shutdown: string, wait: string): string => `
      class Tasks {
        @Task() async run() {
          console.log('RUNNING');
          ${wait}
          console.log('FINISHED');
        }
      }
      @Module({ imports: [TasksModule.forRoot(options)], providers: [Tasks] })
      class AppModule {}
      const app = await NestFactory.create(AppModule, { logger: ['log', 'warn', 'error'] });
      app.enableShutdownHooks(${shutdown});
      await app.listen(0);
      await app.get(TaskQueue).enqueue(task(Tasks).run());
    `;

    it.each([
      ['SIGTERM', '', 'SIGTERM'],
      ['its exit code with useProcessExit', '[], { useProcessExit: true }', 0],
    ])('lets a running job finish on SIGTERM, and ends as Nest does: by %s', async (_by, shutdown, expected) => {
      const child = start(redis, LONG(shutdown, 'await sleep(700);'));
      await child.printed(/RUNNING/);
      expect(await child.kill('SIGTERM')).toBe(expected);
      expect(child.output).toContain('FINISHED');
      expect(child.output).toContain('Waiting up to 30000 ms for 1 running job(s)');
    });

    it('skips the grace at the second SIGTERM', async () => {
      const child = start(redis, LONG('', 'await sleep(60_000);'));
      await child.printed(/RUNNING/);
      void child.kill('SIGTERM');
      await child.printed(/Waiting up to 30000 ms/);
      const before = performance.now();
      expect(await child.kill('SIGTERM')).toBe('SIGTERM');
      expect(performance.now() - before).toBeLessThan(2_000);
      expect(child.output).toContain('Aborting 1 running job(s)');
      expect(child.output).not.toContain('FINISHED');
    });
  });
});
