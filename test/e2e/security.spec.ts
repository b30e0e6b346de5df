import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Engine } from '../../lib/contracts/engine.js';
import {
  Ctx,
  InvalidOptionsError,
  InvalidPayloadError,
  Task,
  task,
  TaskAdmin,
  TaskContext,
  TaskFailedError,
  TaskQueue,
  TasksModule,
  UnknownTaskError,
  type EnqueueOptions,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { TASKS_ENGINE } from '../../lib/tasks.providers.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix } from '../support/redis.js';

let called: string[] = [];

@Injectable()
class OpenTasks {
  @Task({ attempts: 2, backoff: 0, timeout: '1m' })
  echo(value: unknown, @Ctx() context: TaskContext): unknown {
    called.push('echo');
    return { value, metadata: context.metadata, attempts: context.attempts };
  }

  @Task({ attempts: 2, backoff: 0 })
  throwing(): void {
    throw new Error('no');
  }

  @Task({ concurrency: { max: 1 }, timeout: '1m' })
  async single(): Promise<number> {
    called.push('start');
    await new Promise((resolve) => setTimeout(resolve, 20));
    called.push('end');
    return 1;
  }

  secret(): void {
    called.push('secret');
  }
  toString(): string {
    called.push('toString');
    return 'OpenTasks';
  }
}

const open = task(OpenTasks);

/** Names by which a look-up in a plain object, or on an instance, would find something. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'OpenTasks.secret',
  'OpenTasks.constructor',
  'OpenTasks.__proto__',
  'OpenTasks.toString',
  'OpenTasks.echo.constructor',
  'opentasks.echo',
  'OpenTasks',
  'secret',
  'echo',
  '',
];

let app: INestApplicationContext | undefined;
beforeEach(() => {
  called = [];
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  expect(Object.keys(Object.prototype)).toEqual([]);
});

async function start(options: TasksModuleOptions): Promise<TaskQueue> {
  const testing = Test.createTestingModule({ imports: [TasksModule.forRoot(options)], providers: [OpenTasks] });
  app = await (await testing.compile()).createNestApplication({ logger: false }).init();
  return app.get(TaskQueue);
}

const resultOf = <R>(job: JobHandle<R>) => job.result({ timeout: '10s' });

describe('task(Class)', () => {
  it.each(NAMES.filter((name) => !['echo', 'toString', 'secret'].includes(name)))(
    'has nothing under the name %j',
    (name) => {
      expect((open as unknown as Record<string, unknown>)[name]).toBeUndefined();
    },
  );

  it.each(['secret', 'toString'])('refuses %s, which is a method and no task', (name) => {
    expect(() => (open as unknown as Record<string, unknown>)[name]).toThrow(UnknownTaskError);
  });
});

describe.each(ENGINES)('On the %s engine, from outside', (_engine, options) => {
  it('a job of any other name calls nothing, and stands until a worker has it', async () => {
    const queue = await start(options());
    const engine = app!.get<Engine>(TASKS_ENGINE);
    const jobs = NAMES.map((name, index) => newJob(`named-${index}`, { task: name, args: '["a"]' }));
    await engine.enqueue(jobs);
    for (const [index] of NAMES.entries()) {
      await eventually(async () =>
        expect(await queue.job(`named-${index}`).info()).toMatchObject({
          state: 'delayed',
          runs: [{ outcome: 'snooze', error: { code: 'TASKS_UNKNOWN_TASK' } }],
        }),
      );
    }
    expect(called).toEqual([]);
  });

  it.each(NAMES)('ids, tags and names of queues may be %j', async (name) => {
    const queue = await start({ ...options(), worker: false });
    if (name !== '') {
      const job = await queue.enqueue(open.echo(1), { jobId: name, tags: [name] });
      expect(await queue.job(name).state()).toBe('waiting');
      expect((await app!.get(TaskAdmin).list({ tag: name })).jobs.map(({ id }) => id)).toEqual([name]);
      expect(await job.cancel()).toBe(true);
    }
    expect(await queue.job('other').state()).toBe('unknown');
    await expect(queue.enqueue(open.echo(1), { queue: name })).rejects.toThrow(/not declared|is ''/);
    await expect(queue.pause(name)).rejects.toThrow(/not declared/);
  });

  it('arguments, results and metadata keep fields of any name, and change no other object', async () => {
    const queue = await start(options());
    const hostile: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}');
    const metadata = JSON.parse('{"__proto__":"text","constructor":"x"}') as Record<string, string>;
    const call = open
      .echo(hostile)
      .with({ metadata })
      .with({ metadata: { own: 'y' } });
    const job = await queue.enqueue(call, { metadata });
    const result = (await resultOf(job)) as { value: object; metadata: object };
    expect(JSON.stringify(result.value)).toBe(JSON.stringify(hostile));
    expect(Object.entries(result.metadata).toSorted(([one], [other]) => (one < other ? -1 : 1))).toEqual([
      ['__proto__', 'text'],
      ['constructor', 'x'],
      ['own', 'y'],
    ]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(
      (await app!.get(TaskAdmin).list({ args: { constructor: { prototype: { isAdmin: true } } } })).jobs,
    ).toHaveLength(1);
    expect((await app!.get(TaskAdmin).list({ args: { toString: 1 } })).jobs).toHaveLength(0);
  });

  it.each([
    '{"__proto__":{"attempts":9}}',
    '{"constructor":1}',
    '{"toString":"x"}',
    '{"unique":{"until":"started","__proto__":{"key":1}}}',
    '{"backoff":{"type":"fixed","delay":1,"__proto__":{}}}',
    '{"metadata":{"__proto__":{"a":1}}}',
    '{"attempts":1000000000}',
    '{"attempts":1e400}',
    '{"delay":-1}',
    '{"timeout":"NaN"}',
    '{"keepResult":-5}',
    '{"tags":{"length":1}}',
  ])('options such as %s are refused', async (json) => {
    const queue = await start(options());
    const given = JSON.parse(json) as EnqueueOptions;
    await expect(queue.enqueue(open.echo(1), given)).rejects.toThrow(InvalidOptionsError);
    expect(() => open.echo(1).with(given)).toThrow(InvalidOptionsError);
  });

  it.each(['text', { task: 'OpenTasks.echo', args: [1], options: {} }, JSON.parse('{"__proto__":{"task":"x"}}')])(
    'what only looks like a call is refused: %j',
    async (value) => {
      await expect((await start(options())).enqueue(value as never)).rejects.toThrow(InvalidOptionsError);
    },
  );

  it('arguments are data: what would be code is refused, and text stays text', async () => {
    const queue = await start(options());
    await expect(queue.enqueue(open.echo(() => called.push('ran')))).rejects.toThrow(InvalidPayloadError);
    await expect(queue.enqueue(open.echo({ toJSON: () => called.push('ran') }))).rejects.toThrow(InvalidPayloadError);
    const texts = [
      'function () { called.push("ran") }',
      '${called.push("ran")}',
      '/x/',
      { $where: '1' },
      { then: 'x' },
    ];
    expect(await resultOf(await queue.enqueue(open.echo(texts)))).toMatchObject({ value: texts });
    expect(called).toEqual(['echo']);
  });
});

describe('A job that somebody wrote into Redis by hand', () => {
  async function write(id: string, fields: Record<string, string>): Promise<JobHandle> {
    const prefix = freshPrefix();
    const redis = new Redis(inject('redisUrl'));
    await redis.hset(`${prefix}:default:${id}`, {
      name: 'OpenTasks.echo',
      data: '["a"]',
      opts: '{"spread":1}',
      timestamp: '1',
      ...fields,
    });
    await redis.lpush(`${prefix}:default:wait`, id);
    redis.disconnect();
    return (await start({ redis: inject('redisUrl'), prefix })).job(id);
  }

  it.each([
    [{ attempts: 1e9 }, 100_000],
    [{ attempts: -1 }, 2],
    [{ attempts: 1.5 }, 2],
    [{ attempts: '7' }, 2],
    [{ attempts: null, timeout: -5, keepResult: -1, backoff: { type: 'fixed', delay: -1 } }, 2],
    [{ timeout: 'NaN', backoff: 'x', keepResult: {} }, 2],
    [JSON.parse('{"__proto__":{"attempts":7}}') as object, 2],
  ])('has reasonable options only: %j', async (opts, attempts) => {
    const job = await write('options', { opts: JSON.stringify({ spread: 1, ...opts }).replace(/}$/, ',"more":1}') });
    expect(await resultOf(job)).toMatchObject({ value: 'a', attempts });
    expect(await job.info()).toMatchObject({ state: 'completed', result: { value: 'a' } });
  });

  it('has no number that is none', async () => {
    const job = await write('numbers', { opts: '{"spread":1,"attempts":1e999,"timeout":1e999,"keepResult":1e999}' });
    expect(await resultOf(job)).toMatchObject({ attempts: 2 });
  });

  it('is tried again as its task says, whatever its backoff is', async () => {
    const job = await write('backoff', {
      name: 'OpenTasks.throwing',
      opts: '{"spread":1,"backoff":{"type":"exponential","delay":1e999,"factor":-1,"max":null,"jitter":99}}',
    });
    await expect(resultOf(job)).rejects.toThrow(TaskFailedError);
    expect((await job.info())!.runs).toHaveLength(2);
  });

  it.each(['[1,2]', '"text"', '{"a":1,"b":{"c":2},"d":"text","__proto__":{"x":1}}', 'null', '{'])(
    'has texts as its metadata only: %s',
    async (metadata) => {
      const job = await write('metadata', { metadata });
      const expected = metadata.includes('"d"') ? { d: 'text' } : {};
      expect(await resultOf(job)).toMatchObject({ metadata: expected });
    },
  );

  it('does not escape the limits of its task by rules that nobody heeds', async () => {
    const prefix = freshPrefix();
    const redis = new Redis(inject('redisUrl'));
    const rules = [
      '{"concurrency":true}',
      '{"concurrency":{"key":1,"max":9}}',
      '{"concurrency":{"key":"k","max":-1}}',
      '{"concurrency":[]}',
    ];
    for (const [index, text] of rules.entries()) {
      const fields = { name: 'OpenTasks.single', data: '[]', opts: '{"spread":1}', timestamp: '1', rules: text };
      await redis.hset(`${prefix}:default:r${index}`, fields);
      await redis.lpush(`${prefix}:default:wait`, `r${index}`);
    }
    redis.disconnect();
    const queue = await start({ redis: inject('redisUrl'), prefix });
    await Promise.all(rules.map((_text, index) => resultOf(queue.job(`r${index}`))));
    expect(called).toEqual(rules.flatMap(() => ['start', 'end']));
  });

  it.each([
    '{"error":{"name":{"toString":1},"message":[]},"attempt":1,"startedAt":1,"worker":"x"}',
    '{"attempt":"1"}',
    '{"attempt":1,"startedAt":1e999,"worker":{}},7,null,[]',
    '{"attempt":1,"startedAt":1,"worker":"x","outcome":{}}',
  ])('is shown, fails and is found whatever its runs are: %s', async (runs) => {
    const job = await write('runs', { name: 'OpenTasks.throwing', runs });
    await expect(resultOf(job)).rejects.toThrow(TaskFailedError);
    const info = (await job.info())!;
    expect(info.error).toMatchObject({ message: 'no' });
    for (const run of info.runs) expect(run.startedAt.getTime()).not.toBeNaN();
    expect((await app!.get(TaskAdmin).list({ text: 'no' })).jobs).toHaveLength(1);
  });

  it('breaks no list by arguments that are nested without end', async () => {
    const deep = `[{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}]`;
    const job = await write('deep', { data: deep, name: 'unknown.task' });
    const admin = app!.get(TaskAdmin);
    expect((await admin.list({ args: { a: [] } })).jobs).toEqual([]);
    expect((await admin.list({ text: 'unknown' })).jobs.map(({ id }) => id)).toEqual([job.id]);
  });

  it('tells a wrong end to nobody who waits', async () => {
    const prefix = freshPrefix();
    const queue = await start({ redis: inject('redisUrl'), prefix, worker: false });
    const job = await queue.enqueue(open.echo(1));
    const ended = resultOf(job);
    ended.catch(() => undefined);
    const redis = new Redis(inject('redisUrl'));
    await eventually(async () => {
      const message = JSON.stringify({
        jobId: job.id,
        val: { toString: 1 },
        error: { name: {}, message: { toString: 1 } },
      });
      expect(await redis.publish(`${prefix}:default:failed`, message)).toBeGreaterThan(0);
    });
    redis.disconnect();
    await expect(ended).rejects.toThrow(TaskFailedError);
    await expect(ended).rejects.toThrow('Unknown reason');
  });
});
