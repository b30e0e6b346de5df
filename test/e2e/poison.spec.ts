import { Logger, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Discard,
  InvalidPayloadError,
  Retry,
  Task,
  task,
  TaskFailedError,
  TaskQueue,
  TasksModule,
  type JobError,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/eventually.js';

/** Values that nobody should throw, and what is on record of them. */
const THROWN: readonly [name: string, make: () => unknown, recorded: RegExp][] = [
  ['undefined', () => undefined, /no error was thrown: undefined/],
  ['null', () => null, /no error was thrown: null/],
  ['text', () => 'just text', /^just text$/],
  ['a number', () => 42, /no error was thrown: 42/],
  ['a symbol', () => Symbol('sign'), /Symbol\(sign\)/],
  ['a function', () => () => 1, /no error was thrown/],
  ['a plain object', () => ({ status: 500 }), /status: 500/],
  ['an object that is nobody', () => Object.create(null) as unknown, /no error was thrown/],
  ['an error that is its own cause', circularError, /^Round and round\.$/],
  ['an error whose getters throw', errorOfTraps, /^Do not look\.$/],
  ['a proxy that throws at every touch', hostileProxy, /no error was thrown/],
  [
    'a call to try again because of such a proxy',
    () => new Retry({ delay: 0, cause: hostileProxy() }),
    /no error was thrown/,
  ],
  ['an error of several', () => new AggregateError([new Error('first'), 'second']), /first; 'second'/],
  [
    'an error whose message is no text',
    () => Object.assign(new Error('x'), { message: { deep: 1 } }),
    /deep: 1|no error/,
  ],
  ['an error with a message of 5 MB', () => new Error('x'.repeat(5_000_000)), /cut, 5000000 characters in all/],
];

/** Results that cannot be stored, and the reason that is told. */
const RETURNED: readonly [name: string, make: () => unknown, recorded: RegExp][] = [
  ['a BigInt', () => ({ total: 1n }), /BigInt/],
  ['an object that contains itself', circularResult, /circular/i],
  ['an object whose toJSON throws', throwingToJson, /No JSON today/],
  ['an object whose toJSON throws a hostile proxy', () => ({ toJSON: throwHostileProxy }), /no error was thrown/],
  ['more than 8 MB', () => 'x'.repeat(8 * 1_024 * 1_024), /8388610 characters.*Store it elsewhere/],
  ['nests deeper than the stack', nested, /call stack/i],
];

class PoisonTasks {
  @Task({ attempts: 1 }) throws(index: number): void {
    throw THROWN[index][1]();
  }
  @Task({ attempts: 1 }) async rejects(index: number): Promise<void> {
    await Promise.resolve();
    throw THROWN[index][1]();
  }
  @Task({ attempts: 5, backoff: 0 }) returns(index: number): unknown {
    calls++;
    return RETURNED[index][1]();
  }
  @Task({ attempts: 1, timeout: '100ms', queue: 'two' }) never(): PromiseLike<void> {
    return { then: () => undefined } as unknown as PromiseLike<void>;
  }
  @Task({ attempts: 1 }) discards(): void {
    throw new Discard('Not today.');
  }
  @Task() big(_text: string): void {}
  @Task() healthy(): number {
    return Date.now();
  }
}

const tasks = task(PoisonTasks);
let calls = 0;
/** Longest wait of a healthy job behind a poisoned one, in ms, per engine. */
const waits: number[] = [];

describe.each(ENGINES)('Poison, on the %s engine', (name, options) => {
  let app: INestApplicationContext;
  let queue: TaskQueue;
  let used: TasksModuleOptions;
  let lost: unknown[];
  const noteLost = (error: unknown): void => void lost.push(error);

  beforeEach(async () => {
    calls = 0;
    lost = [];
    process.on('unhandledRejection', noteLost);
    Logger.overrideLogger(false);
    used = { ...options(), shutdownGrace: 0, queues: { default: { concurrency: 1 }, two: { concurrency: 2 } } };
    @Module({ imports: [TasksModule.forRoot(used)], providers: [PoisonTasks] })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    queue = app.get(TaskQueue);
  });
  afterEach(async () => {
    await app.close();
    process.off('unhandledRejection', noteLost);
    expect(lost).toEqual([]);
  });

  /** The error of a poisoned job; the job behind it has to start within a second. */
  async function deathOf(job: JobHandle): Promise<JobError> {
    const healthy = await queue.enqueue(tasks.healthy());
    const failure: unknown = await job.result({ timeout: '10s' }).catch((error: unknown) => error);
    const diedAt = Date.now();
    const wait = Math.max(0, (await healthy.result({ timeout: '5s' })) - diedAt);
    waits.push(wait);
    expect(wait).toBeLessThan(1_000);
    expect(failure).toBeInstanceOf(TaskFailedError);
    return (failure as TaskFailedError).job.error;
  }

  it.each(THROWN.map(([what, , recorded], index) => [what, index, recorded] as const))(
    'records a task that throws %s',
    async (_what, index, recorded) => {
      expect((await deathOf(await queue.enqueue(tasks.throws(index)))).message).toMatch(recorded);
      expect((await deathOf(await queue.enqueue(tasks.rejects(index)))).message).toMatch(recorded);
    },
  );

  it.each(RETURNED.map(([what, , recorded], index) => [what, index, recorded] as const))(
    'fails a task at once that answers %s',
    async (_what, index, recorded) => {
      const job = await queue.enqueue(tasks.returns(index));
      const error = await deathOf(job);
      expect(error).toMatchObject({ name: 'InvalidResultError', code: 'TASKS_INVALID_RESULT' });
      expect(error.message).toMatch(recorded);
      expect(calls).toBe(1);
      expect(await job.info()).toMatchObject({ state: 'failed', runs: [{ outcome: 'failed' }] });
    },
  );

  it('ends a task that answers a thenable which never settles, by its timeout', async () => {
    const job = await queue.enqueue(tasks.never());
    await expect(job.result({ timeout: '5s' })).rejects.toMatchObject({ job: { error: { name: 'TaskTimeoutError' } } });
    // It keeps its place for a while; the other one is free.
    const enqueuedAt = Date.now();
    const healthy = await queue.enqueue(tasks.healthy(), { queue: 'two' });
    expect((await healthy.result({ timeout: '5s' })) - enqueuedAt).toBeLessThan(1_000);
  });

  it('fails at once what discards itself', async () => {
    expect(await deathOf(await queue.enqueue(tasks.discards()))).toMatchObject({ message: 'Not today.' });
  });

  it('refuses an argument of 5 MB when it is enqueued, and stores nothing', async () => {
    const jobId = nanoid();
    const refused = queue.enqueue(tasks.big('x'.repeat(5_000_000)), { jobId });
    await expect(refused).rejects.toThrow(InvalidPayloadError);
    expect(await queue.job(jobId).state()).toBe('unknown');
  });

  // What stands in a queue can be poisoned only where it is stored.
  if (name === 'bull') {
    it.each([
      ['no JSON', '{"to":'],
      ['no list', '{"to":"ada"}'],
      ['empty', ''],
      ['binary', '\u0000\u0001\ufffd'],
    ])('fails a job at once whose data is %s, without calling its task', async (_what, data) => {
      const redis = new Redis(used.redis as string);
      await queue.pause('default');
      const job = await queue.enqueue(tasks.returns(0), { attempts: 5 });
      await redis.hset(`${used.prefix}:default:${job.id}`, 'data', data);
      redis.disconnect();
      await queue.resume('default');
      expect(await deathOf(job)).toMatchObject({ name: 'InvalidPayloadError', code: 'TASKS_INVALID_PAYLOAD' });
      expect(calls).toBe(0);
      expect((await job.info())!.runs).toHaveLength(1);
    });

    it('puts back a foreign job that nobody here knows, which holds nobody up', async () => {
      const { getQueueToken } = await import('@nestjs/bull');
      const bull = app.get<import('bull').Queue>(getQueueToken('default'));
      const foreign = await bull.add('somebody.elses', { any: 'thing' });
      const healthy = await queue.enqueue(tasks.healthy());
      const enqueuedAt = Date.now();
      expect((await healthy.result({ timeout: '5s' })) - enqueuedAt).toBeLessThan(1_000);
      await eventually(async () =>
        expect(await queue.job(String(foreign.id)).info()).toMatchObject({
          state: 'delayed',
          runs: [{ outcome: 'snooze', error: { code: 'TASKS_UNKNOWN_TASK' } }],
        }),
      );
    });
  }

  it('prints its figure', () => {
    console.log(`${name}: the next job starts at most ${Math.max(...waits.splice(0))} ms after a poisoned one`);
  });
});

function circularError(): Error {
  const error = new Error('Round and round.');
  error.cause = error;
  return error;
}

function errorOfTraps(): Error {
  const trap = {
    get: () => {
      throw new Error('Do not look.');
    },
  };
  const properties = ['name', 'message', 'stack', 'code', 'cause', 'errors'];
  return Object.defineProperties(new Error(), Object.fromEntries(properties.map((property) => [property, trap])));
}

function hostileProxy(): unknown {
  const refuse = (): never => {
    throw new Error('Do not touch.');
  };
  const traps = ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor', 'set', 'apply'];
  return new Proxy(class {}, Object.fromEntries(traps.map((trap) => [trap, refuse])));
}

function throwHostileProxy(): never {
  throw hostileProxy();
}

function circularResult(): unknown {
  const result: Record<string, unknown> = {};
  result.self = result;
  return result;
}

function throwingToJson(): unknown {
  return {
    toJSON: () => {
      throw new RangeError('No JSON today.');
    },
  };
}

function nested(): unknown {
  let value: unknown = [];
  for (let depth = 0; depth < 100_000; depth++) value = [value];
  return value;
}
