import {
  Global,
  Inject,
  Injectable,
  Module,
  Scope,
  type INestApplicationContext,
  type LoggerService,
  type ModuleMetadata,
  type OnModuleInit,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory, REQUEST } from '@nestjs/core';
import { Test, type OverrideBy, type TestingModuleBuilder } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import {
  Ctx,
  Task,
  task,
  TaskContext,
  TaskQueue,
  TasksConfigurationError,
  TasksModule,
  type JobHandle,
  type RedisConnection,
  type TaskOptions,
  type TasksModuleOptions,
  type TasksModuleOptionsFactory,
} from '../../lib/index.js';
import { startNode } from '../support/child.js';
import { ENGINES } from '../support/engines.js';
import { deferred, eventually } from '../support/eventually.js';
import { freshPrefix, keysOf } from '../support/redis.js';

const opened: Pick<INestApplicationContext, 'close'>[] = [];
afterEach(() => Promise.all(opened.splice(0).map((app) => app.close())));

async function boot(metadata: ModuleMetadata, logger: LoggerService | false = false): Promise<INestApplicationContext> {
  @Module(metadata)
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  opened.push(app);
  return app;
}

async function failureOf(metadata: ModuleMetadata): Promise<TasksConfigurationError> {
  const failure: unknown = await boot(metadata).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TasksConfigurationError);
  return failure as TasksConfigurationError;
}

/** A logger that keeps the warnings. */
function warnings(): LoggerService & { lines: string[] } {
  const lines: string[] = [];
  const ignore = (): void => undefined;
  return { lines, warn: (line: string) => void lines.push(line), log: ignore, error: ignore };
}

@Injectable()
class MailTasks {
  @Task({ queue: 'mail' })
  send(name: string): string {
    return `Hello ${name}!`;
  }

  @Task()
  nothing(): void {}
}

async function sends(app: INestApplicationContext): Promise<unknown> {
  const job = await app.get(TaskQueue).enqueue(task(MailTasks).send('Ada'));
  return job.result({ timeout: '10s' });
}

describe.each(ENGINES)('forRootAsync on the %s engine', (_name, engine) => {
  const options = (): TasksModuleOptions => ({ ...engine(), queues: { mail: {} } });

  /** The options reached the engine: with Redis, its keys begin with their prefix. */
  async function expectOptionsInUse(app: INestApplicationContext, { prefix }: TasksModuleOptions): Promise<void> {
    expect(await sends(app)).toBe('Hello Ada!');
    if (prefix === undefined) return;
    const redis = new Redis(inject('redisUrl'));
    expect(await keysOf(redis, prefix)).not.toEqual([]);
    redis.disconnect();
  }

  it('takes its options from a factory with ConfigService', async () => {
    const given = options();
    const app = await boot({
      imports: [
        TasksModule.forRootAsync({
          imports: [ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => ({ tasks: given })] })],
          inject: [ConfigService],
          useFactory: (config: ConfigService) => config.getOrThrow<TasksModuleOptions>('tasks'),
        }),
      ],
      providers: [MailTasks],
    });
    await expectOptionsInUse(app, given);
  });

  it('waits for a factory that answers later', async () => {
    const given = options();
    const app = await boot({
      imports: [
        TasksModule.forRootAsync({
          useFactory: async () => {
            await new Promise(setImmediate);
            return given;
          },
        }),
      ],
      providers: [MailTasks],
    });
    await expectOptionsInUse(app, given);
  });

  it('makes a class that answers the options, with what it injects', async () => {
    const given = options();
    @Module({ providers: [{ provide: 'GIVEN', useValue: given }], exports: ['GIVEN'] })
    class GivenModule {}
    @Injectable()
    class TasksConfig implements TasksModuleOptionsFactory {
      constructor(@Inject('GIVEN') private readonly injected: TasksModuleOptions) {}
      createTasksOptions(): TasksModuleOptions {
        return this.injected;
      }
    }
    const app = await boot({
      imports: [TasksModule.forRootAsync({ imports: [GivenModule], useClass: TasksConfig })],
      providers: [MailTasks],
    });
    await expectOptionsInUse(app, given);
  });

  it('asks a provider that is there already, and makes no second one', async () => {
    const given = options();
    let made = 0;
    @Injectable()
    class TasksConfig implements TasksModuleOptionsFactory {
      constructor() {
        made++;
      }
      async createTasksOptions(): Promise<TasksModuleOptions> {
        return given;
      }
    }
    @Module({ providers: [TasksConfig], exports: [TasksConfig] })
    class TasksConfigModule {}
    const app = await boot({
      imports: [TasksModule.forRootAsync({ imports: [TasksConfigModule], useExisting: TasksConfig })],
      providers: [MailTasks],
    });
    await expectOptionsInUse(app, given);
    expect(made).toBe(1);
  });

  it('refuses wrong options as forRoot does', async () => {
    const useFactory = (): TasksModuleOptions =>
      ({ ...engine(), shutdownGrace: 'soon' }) as unknown as TasksModuleOptions;
    const { problems } = await failureOf({ imports: [TasksModule.forRootAsync({ useFactory })] });
    expect(problems.map(({ code }) => code)).toEqual(['TASKS_INVALID_OPTIONS']);
  });
});

describe('Wrong declarations', () => {
  it('of the module are thrown once, each with code, place and fix', async () => {
    const options = {
      redis: 'localhost:6379',
      prefx: 'app',
      queues: { mail: { concurency: 4 }, slow: { concurrency: 0 }, 'a:b': {} },
      worker: { queues: ['mial'] },
      defaults: { attempts: 0, backoff: { type: 'fixed', delay: '1s', maxx: '1m' }, expires: 0 },
      lockDuration: '30 seconds',
      maxCrashes: 1.5,
    } as unknown as TasksModuleOptions;
    const failure = await failureOf({ imports: [TasksModule.forRoot(options)] });
    expect(failure.code).toBe('TASKS_CONFIGURATION');

    const expected: readonly [code: string, message: RegExp][] = [
      ['TASKS_INVALID_OPTIONS', /redis is 'localhost:6379'\. Give a URL such as 'redis:\/\/localhost:6379'/],
      ['TASKS_INVALID_OPTIONS', /unknown option 'prefx'\. Did you mean 'prefix'\?/],
      ['TASKS_INVALID_OPTIONS', /defaults: attempts is 0\. Give a whole number/],
      ['TASKS_INVALID_OPTIONS', /defaults: backoff has an unknown field 'maxx'\. Did you mean 'max'\?/],
      ['TASKS_INVALID_OPTIONS', /defaults: expires is 0\. Give a duration above 0/],
      ['TASKS_INVALID_OPTIONS', /lockDuration is '30 seconds', which is no duration\. Give .*'30s'/],
      ['TASKS_INVALID_OPTIONS', /maxCrashes is 1\.5\. Give a whole number/],
      ['TASKS_INVALID_OPTIONS', /queues\.mail has an unknown option 'concurency'\. Did you mean 'concurrency'\?/],
      ['TASKS_INVALID_OPTIONS', /queues\.slow: concurrency is 0\. Give a whole number/],
      ['TASKS_INVALID_OPTIONS', /'a:b' cannot name a queue\. Use letters/],
      ['TASKS_UNKNOWN_QUEUE', /worker\.queues names 'mial', which is not declared in queues\. Did you mean 'mail'\?/],
    ];
    for (const [code, message] of expected) {
      const problem = failure.problems.find((one) => message.test(one.message));
      expect(problem?.code, `${message} in ${failure.message}`).toBe(code);
      expect(problem?.message).toContain('TasksModule.forRoot()');
      expect(failure.message).toContain(`[${code}] ${problem?.message}`);
    }
    expect(failure.problems).toHaveLength(expected.length);
  });

  it('of tasks are thrown once, each with code, place and fix', async () => {
    class BadTasks {
      @Task({ queue: 'mial' }) lost(): void {}
      @Task({ attemps: 3 } as TaskOptions) misspelt(): void {}
      @Task({ backoff: { type: 'fixed', dealy: '1s' } } as unknown as TaskOptions) waiting(): void {}
      @Task() between(@Ctx() _context: TaskContext, _name: string): void {}
      @Task({ name: 'MailTasks.send' }) twin(): void {}
    }
    const failure = await failureOf({
      imports: [TasksModule.forRoot({ queues: { mail: {} } })],
      providers: [MailTasks, BadTasks],
    });
    const expected: readonly [code: string, place: string, fix: RegExp][] = [
      ['TASKS_UNKNOWN_QUEUE', 'BadTasks.lost', /'mial'.*Did you mean 'mail'\?/],
      ['TASKS_INVALID_OPTIONS', 'BadTasks.misspelt', /'attemps'\. Did you mean 'attempts'\?/],
      ['TASKS_INVALID_OPTIONS', 'BadTasks.waiting', /'dealy'\. Did you mean 'delay'\?/],
      ['TASKS_INVALID_TASK', 'BadTasks.between', /@Ctx\(\).*Move it to the end/],
      ['TASKS_DUPLICATE_TASK', 'BadTasks.twin', /'MailTasks\.send' is claimed by MailTasks\.send .*Rename one/],
    ];
    for (const [code, place, fix] of expected) {
      const problem = failure.problems.find(({ message }) => message.includes(place));
      expect(problem?.code, `${place} in ${failure.message}`).toBe(code);
      expect(problem?.message).toMatch(fix);
    }
    expect(failure.problems).toHaveLength(expected.length);
  });

  it('of a call name the nearest task, queue and option', async () => {
    class OtherTasks {
      @Task({ name: 'MailTasks.sent' }) run(): void {}
    }
    const known = (
      await boot({ imports: [TasksModule.forRoot({ queues: { mail: {} } })], providers: [MailTasks] })
    ).get(TaskQueue);
    await expect(known.enqueue(task(OtherTasks).run())).rejects.toThrow(/Did you mean 'MailTasks\.send'\?/);
    const { send } = task(MailTasks);
    await expect(known.enqueue(send('Ada'), { queue: 'mial' })).rejects.toThrow(/Did you mean 'mail'\?/);
    await expect(known.enqueue(send('Ada'), { dely: 1 } as object)).rejects.toThrow(/Did you mean 'delay'\?/);
  });
});

describe.each(ENGINES)('The module on the %s engine', (name, engine) => {
  const forRoot = (options: TasksModuleOptions = {}) =>
    TasksModule.forRoot({ ...engine(), queues: { mail: {} }, ...options });

  it('gives each queue a concurrency of its own, which does not sum over its tasks', async () => {
    const gate = deferred();
    const running: Record<string, number> = { two: 0, three: 0 };
    const most: Record<string, number> = { two: 0, three: 0 };
    const enter = async (queue: string): Promise<void> => {
      most[queue] = Math.max(most[queue], ++running[queue]);
      await gate.promise;
      running[queue]--;
    };
    class CountingTasks {
      @Task({ queue: 'two' }) first(): Promise<void> {
        return enter('two');
      }
      @Task({ queue: 'two' }) second(): Promise<void> {
        return enter('two');
      }
      @Task({ queue: 'two' }) third(): Promise<void> {
        return enter('two');
      }
      @Task({ queue: 'three' }) fourth(): Promise<void> {
        return enter('three');
      }
      @Task() aside(): void {}
    }
    const app = await boot({
      imports: [forRoot({ queues: { two: { concurrency: 2 }, three: { concurrency: 3 } } })],
      providers: [CountingTasks],
    });
    const queue = app.get(TaskQueue);
    const { first, second, third, fourth, aside } = task(CountingTasks);
    const each = [first(), second(), third(), fourth()];
    const jobs: readonly JobHandle<void>[] = await queue.enqueueMany([...each, ...each, ...each, ...each]);
    await eventually(() => expect(running).toEqual({ two: 2, three: 3 }));
    // Another queue's job comes and goes: whatever was still to start has had the time for it.
    await (await queue.enqueue(aside())).result({ timeout: '10s' });
    expect(running).toEqual({ two: 2, three: 3 });
    gate.resolve();
    await Promise.all(jobs.map((job) => job.result({ timeout: '10s' })));
    expect(most).toEqual({ two: 2, three: 3 });
  });

  it('runs only the queues that worker.queues names', async () => {
    const app = await boot({ imports: [forRoot({ worker: { queues: ['mail'] } })], providers: [MailTasks] });
    const waiting = await app.get(TaskQueue).enqueue(task(MailTasks).nothing());
    expect(await sends(app)).toBe('Hello Ada!');
    expect(await waiting.state()).toBe('waiting');
  });

  it('runs nothing with worker: false, and answers for jobs all the same', async () => {
    const app = await boot({ imports: [forRoot({ worker: false })], providers: [MailTasks] });
    const job = await app.get(TaskQueue).enqueue(task(MailTasks).send('Ada'));
    await expect(job.result({ timeout: '100ms' })).rejects.toMatchObject({ code: 'TASKS_RESULT_TIMEOUT' });
    expect(await app.get(TaskQueue).job(job.id).info()).toMatchObject({ state: 'waiting', queue: 'mail', runs: [] });
  });

  it('boots with a class in two modules, warns once, and runs each job once', async () => {
    const runs: string[] = [];
    @Injectable()
    class SharedTasks {
      @Task() run(id: string): void {
        runs.push(id);
      }
    }
    @Module({ providers: [SharedTasks] })
    class FirstModule {}
    @Module({ providers: [SharedTasks, { provide: 'ALIAS', useExisting: SharedTasks }] })
    class SecondModule {}
    const logger = warnings();
    const app = await boot({ imports: [FirstModule, SecondModule, forRoot()] }, logger);
    const queue = app.get(TaskQueue);
    const jobs = await queue.enqueueMany([task(SharedTasks).run('a'), task(SharedTasks).run('b')]);
    for (const job of jobs) await job.result({ timeout: '10s' });
    expect(runs.toSorted()).toEqual(['a', 'b']);
    expect(logger.lines.filter((line) => line.includes('SharedTasks is provided twice'))).toHaveLength(1);
  });

  it('makes request-scoped providers anew for each job, around its TaskContext', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      readonly number = ++made;
      constructor(@Inject(REQUEST) readonly context: TaskContext) {}
    }
    @Injectable()
    class AuditTrail {
      constructor(readonly tenant: Tenant) {}
    }
    @Injectable()
    class ScopedTasks {
      constructor(
        private readonly tenant: Tenant,
        private readonly trail: AuditTrail,
      ) {}

      @Task()
      describe(@Ctx() context: TaskContext) {
        return {
          isOneTree: this.trail.tenant === this.tenant,
          isItsContext: this.tenant.context === context,
          tenant: this.tenant.context.metadata.tenant,
          number: this.tenant.number,
        };
      }
    }
    const app = await boot({ imports: [forRoot()], providers: [Tenant, AuditTrail, ScopedTasks] });
    const describeTenant = task(ScopedTasks).describe();
    const jobs = await app
      .get(TaskQueue)
      .enqueueMany([
        describeTenant.with({ metadata: { tenant: 'acme' } }),
        describeTenant.with({ metadata: { tenant: 'zenith' } }),
      ]);
    const [acme, zenith] = await Promise.all(jobs.map((job) => job.result({ timeout: '10s' })));
    expect(acme).toMatchObject({ isOneTree: true, isItsContext: true, tenant: 'acme' });
    expect(zenith).toMatchObject({ isOneTree: true, isItsContext: true, tenant: 'zenith' });
    expect(new Set([acme.number, zenith.number])).toEqual(new Set([1, 2]));
  });

  const fake = { send: (to: string) => `Faked ${to}` };
  class FakeMail {
    readonly send = fake.send;
  }
  const overrides: readonly [by: string, override: (tasks: OverrideBy) => TestingModuleBuilder][] = [
    ['a value', (tasks) => tasks.useValue(fake)],
    ['a factory', (tasks) => tasks.useFactory({ factory: () => fake })],
    ['another class', (tasks) => tasks.useClass(FakeMail)],
  ];

  it.each(overrides)('keeps the tasks of a provider that is overridden by %s', async (_by, override) => {
    const builder = Test.createTestingModule({ imports: [forRoot()], providers: [MailTasks] }).setLogger(warnings());
    const app = await override(builder.overrideProvider(MailTasks)).compile();
    opened.push(app);
    await app.init();
    expect(await sends(app)).toBe('Faked Ada');
  });

  it('does not meet another app of the process', async () => {
    const enqueuing = await boot({ imports: [forRoot({ worker: false })], providers: [MailTasks] });
    const working = await boot({ imports: [forRoot()], providers: [MailTasks] });
    const job = await enqueuing.get(TaskQueue).enqueue(task(MailTasks).send('Ada'), { jobId: 'shared-id' });
    expect(await working.get(TaskQueue).job(job.id).state()).toBe('unknown');
    expect(await sends(working)).toBe('Hello Ada!');
    const twin = await working.get(TaskQueue).enqueue(task(MailTasks).send('Bob'), { jobId: 'shared-id' });
    expect(twin.deduplicated).toBe(false);
    expect(await twin.result({ timeout: '10s' })).toBe('Hello Bob!');
    expect(await job.state()).toBe('waiting');
  });

  it('takes jobs from another provider’s onModuleInit', async () => {
    @Injectable()
    class Seeder implements OnModuleInit {
      job?: JobHandle<string>;
      constructor(private readonly queue: TaskQueue) {}
      async onModuleInit(): Promise<void> {
        this.job = await this.queue.enqueue(task(MailTasks).send('early'));
      }
    }
    @Global()
    @Module({ providers: [Seeder], exports: [Seeder] })
    class SeederModule {}
    const app = await boot({ imports: [SeederModule, forRoot()], providers: [MailTasks] });
    expect(await app.get(Seeder).job?.result({ timeout: '10s' })).toBe('Hello early!');
  });

  it(`${name === 'bull' ? 'opens sockets' : 'opens no socket'}, and none is left after close()`, async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect');
    const sockets = (): number => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length;
    // Those of earlier tests end a little after close().
    await eventually(() => expect(sockets()).toBe(0));
    for (const module of [
      forRoot(),
      TasksModule.forRootAsync({ useFactory: () => ({ ...engine(), queues: { mail: {} } }) }),
    ]) {
      const app = await boot({ imports: [module], providers: [MailTasks] });
      expect(await sends(app)).toBe('Hello Ada!');
      expect(sockets() > 0).toBe(name === 'bull');
      await app.close();
    }
    expect(connect.mock.calls.length > 0).toBe(name === 'bull');
    connect.mockRestore();
    await eventually(() => expect(sockets()).toBe(0));
  });
});

describe('redis', () => {
  const url = new URL(inject('redisUrl'));
  const clients: Redis[] = [];
  const roles = new Set<string>();

  const connections: readonly [as: string, redis: RedisConnection][] = [
    ['a URL', url.href],
    ['ioredis options', { host: url.hostname, port: Number(url.port), db: Number(url.pathname.slice(1)) || 0 }],
    [
      'a function that makes clients',
      {
        createClient: (role) => {
          const blocks = role !== 'client';
          const client = new Redis(url.href, blocks ? { maxRetriesPerRequest: null, enableReadyCheck: false } : {});
          roles.add(role);
          clients.push(client);
          return client;
        },
      },
    ],
  ];

  it.each(connections)('may be %s', async (_as, redis) => {
    const prefix = freshPrefix();
    const app = await boot({
      imports: [TasksModule.forRoot({ redis, prefix, queues: { mail: {} } })],
      providers: [MailTasks],
    });
    expect(await sends(app)).toBe('Hello Ada!');
    await app.close();
  });

  it('makes a client for each role by that function, and ends every one of them', async () => {
    expect([...roles].toSorted()).toEqual(['bclient', 'client', 'subscriber']);
    await eventually(() => expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 'end')));
  });

  it('lets an API process enqueue what a worker process runs', async () => {
    const options: TasksModuleOptions = { redis: url.href, prefix: freshPrefix(), queues: { mail: {} } };
    const ran: string[] = [];
    class Remote {
      @Task({ queue: 'mail', name: 'remote.run' }) run(): void {
        ran.push('worker');
      }
    }
    class Local {
      @Task({ queue: 'mail', name: 'remote.run' }) run(): void {
        ran.push('api');
      }
    }
    const api = await boot({ imports: [TasksModule.forRoot({ ...options, worker: false })], providers: [Local] });
    await boot({ imports: [TasksModule.forRoot(options)], providers: [Remote] });
    await (await api.get(TaskQueue).enqueue(task(Local).run())).result({ timeout: '10s' });
    expect(ran).toEqual(['worker']);
  });
});

describe('A process with the built package', () => {
  beforeAll(ensureBuilt, 180_000);

  it.each([
    ['loads neither Bull nor ioredis on the embedded engine', '', []],
    ['loads them where redis is set', inject('redisUrl'), ['bull', 'ioredis']],
  ])('%s', async (_does, redis, expected) => {
    // A package in CommonJS stands in this cache, whoever imported it.
    const program = `
      import 'reflect-metadata';
      import { NestFactory } from '@nestjs/core';
      import { createRequire } from 'node:module';
      import { TasksModule } from 'nestjs-tasks';
      const options = process.env.TASKS_REDIS ? { redis: process.env.TASKS_REDIS, prefix: process.env.TASKS_PREFIX } : {};
      class AppModule {}
      const app = await NestFactory.createApplicationContext({ module: AppModule, imports: [TasksModule.forRoot(options)] });
      await app.close();
      const files = Object.keys(createRequire(import.meta.url).cache);
      const isLoaded = (name) => files.some((file) => file.includes('/node_modules/' + name + '/'));
      console.log('LOADED ' + JSON.stringify(['bull', 'ioredis', 'rxjs'].filter(isLoaded)) + '.');
    `;
    const env = { TASKS_REDIS: redis, TASKS_PREFIX: freshPrefix() };
    const child = startNode('--input-type=module', { args: ['--eval', program], env });
    const [, loaded] = await child.printed(/LOADED (.*)\./);
    // rxjs is there in any case: the cache does tell what was loaded.
    expect(JSON.parse(loaded)).toEqual([...expected, 'rxjs']);
    expect(await child.kill('SIGCONT')).toBe(0);
  });
});
