import { getQueueToken, OnQueueCompleted, Processor } from '@nestjs/bull';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { Injectable, type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Job, Queue } from 'bull';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  Ctx,
  InvalidPayloadError,
  PayloadCodecError,
  Task,
  task,
  TaskAdmin,
  TaskContext,
  TaskQueue,
  TaskSchedules,
  TasksModule,
  type JobHandle,
  type PayloadCodec,
  type TasksModuleOptions,
} from '../../lib/index.js';
import type { Engine } from '../../lib/contracts/engine.js';
import { STORING_ENGINE } from '../../lib/tasks.tokens.js';
import { aesCodec } from '../docs/aes-codec.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix } from '../support/redis.js';

const SECRET = 'lovelace@example.org';
const key = randomBytes(32);
const codec = aesCodec([['first', key]]);
/** As one that asks a server, and answers later what is longer. */
const slowCodec: PayloadCodec = {
  encode: async (json) => {
    await new Promise((resolve) => setTimeout(resolve, json.length % 7));
    return codec.encode(json);
  },
  decode: async (data) => {
    await new Promise((resolve) => setImmediate(resolve));
    return codec.decode(data);
  },
};

let runs: string[] = [];

@Injectable()
class MailTasks {
  @Task({ attempts: 3, backoff: 0 })
  async send(mail: { to: string }, @Ctx() context: TaskContext): Promise<{ sent: string }> {
    runs.push(mail.to);
    await context.progress({ to: mail.to });
    return { sent: mail.to };
  }

  @Task() async steps(count: number, @Ctx() context: TaskContext): Promise<void> {
    const told = Array.from({ length: count }, (_, index) => context.progress('x'.repeat(count - index)));
    await Promise.all(told);
  }

  @Task() nothing(): void {}

  @Task({ attempts: 1, onFailed: ({ args }) => task(MailTasks).note(args) })
  failing(_mail: { to: string }): void {
    throw new Error('The server is away.');
  }

  @Task() note(args: readonly unknown[]): void {
    runs.push(JSON.stringify(args));
  }

  @Task({ unique: { until: 'finished' } }) once(_mail: { to: string }): void {}

  @Task({ concurrency: { max: 1, key: ({ to }: { to: string }) => to }, delay: '1h' })
  limited(_mail: { to: string }): void {}

  @Task({ attempts: 3, backoff: 0, onFailed: () => task(MailTasks).note(['not encoded']) })
  unencodable(): string {
    runs.push('unencodable');
    return 'REFUSE';
  }
}

const mail = task(MailTasks);
const apps: INestApplicationContext[] = [];

beforeEach(() => {
  runs = [];
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function boot(options: TasksModuleOptions, providers: Type[] = []): Promise<INestApplicationContext> {
  const imports = [TasksModule.forRoot(options)];
  const testing = await Test.createTestingModule({ imports, providers: [MailTasks, ...providers] }).compile();
  const app = await testing.createNestApplication({ logger: false }).init();
  apps.push(app);
  return app;
}

async function start(options: TasksModuleOptions): Promise<TaskQueue> {
  return (await boot(options)).get(TaskQueue);
}

const resultOf = <R>(job: JobHandle<R>) => job.result({ timeout: '10s' });

/** The job as the engine has it. */
async function stored(id: string) {
  const [record] = await apps[0].get<Engine>(STORING_ENGINE).find([{ id }]);
  return record!;
}

describe.each(ENGINES)('A codec, on the %s engine', (_engine, options) => {
  it.each([
    ['that answers at once', codec],
    ['that answers promises', slowCodec],
  ])('%s keeps arguments, result and progress out of what is stored', async (_kind, used) => {
    const queue = await start({ ...options(), codec: used });
    const job = await queue.enqueue(mail.send({ to: SECRET }));
    expect(await resultOf(job)).toEqual({ sent: SECRET });
    const record = await stored(job.id);
    for (const text of [record.args, record.result!, record.progress!]) {
      expect(Object.keys(JSON.parse(text) as object)).toEqual(['nestjs-tasks:encoded']);
    }
    expect(JSON.stringify(record)).not.toContain('lovelace');
  });

  it('is not seen by who reads the job', async () => {
    const app = await boot({ ...options(), codec });
    const queue = app.get(TaskQueue);
    const job = await queue.enqueue(mail.send({ to: SECRET }));
    await resultOf(job);
    expect(await resultOf(queue.job(job.id))).toEqual({ sent: SECRET });
    expect(await job.info()).toMatchObject({
      args: [{ to: SECRET }],
      result: { sent: SECRET },
      progress: { to: SECRET },
    });
    const listed = async (filter: object) => (await app.get(TaskAdmin).list(filter)).jobs.map(({ id }) => id);
    expect(await listed({ text: SECRET })).toEqual([job.id]);
    expect(await listed({ args: { to: SECRET } })).toEqual([job.id]);
    expect(await listed({ args: { to: 'eve' } })).toEqual([]);
    const waiting = await queue.enqueue(mail.send({ to: SECRET }), { delay: '1h' });
    expect(await queue.cancel({ args: { to: SECRET } })).toBe(1);
    expect(await waiting.state()).toBe('cancelled');
  });

  it('tells progress in its order, and the end after it', async () => {
    const queue = await start({ ...options(), codec: slowCodec });
    const job = await queue.enqueue(mail.steps(20), { delay: '100ms' });
    const told: unknown[] = [];
    await new Promise<void>((complete, error) =>
      job.progress$.subscribe({ next: (value) => told.push(value), complete, error }),
    );
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => 'x'.repeat(20 - index)));
  });

  it('leaves a task alone that answers nothing', async () => {
    const queue = await start({ ...options(), codec });
    expect(await resultOf(await queue.enqueue(mail.nothing()))).toBeUndefined();
  });

  it('hands plain arguments to onFailed and to who waits, and encodes the call that follows', async () => {
    const queue = await start({ ...options(), codec });
    const job = await queue.enqueue(mail.failing({ to: SECRET }));
    await expect(resultOf(job)).rejects.toMatchObject({ job: { args: [{ to: SECRET }] } });
    await resultOf(queue.job(`${job.id}:failed`));
    expect(runs).toEqual([JSON.stringify([{ to: SECRET }])]);
    expect((await stored(`${job.id}:failed`)).args).not.toContain('lovelace');
  });

  it('leaves unique keys equal for equal arguments, and keys of limits unreadable', async () => {
    const queue = await start({ ...options(), codec, worker: false });
    const first = await queue.enqueue(mail.once({ to: SECRET }));
    expect(await queue.enqueue(mail.once({ to: SECRET }))).toMatchObject({ id: first.id, deduplicated: true });
    const limited = await queue.enqueue(mail.limited({ to: SECRET }));
    expect(JSON.stringify([await stored(first.id), await stored(limited.id)])).not.toContain('lovelace');
  });

  it('counts the bytes of a payload before it encodes them', async () => {
    const queue = await start({ ...options(), codec, maxPayload: 100 });
    await queue.enqueue(mail.send({ to: 'x'.repeat(80) }));
    await expect(queue.enqueue(mail.send({ to: 'x'.repeat(100) }))).rejects.toThrow(InvalidPayloadError);
  });

  it('that cannot encode refuses the call, and nothing is stored', async () => {
    const encode = () => {
      throw new Error('the vault is sealed');
    };
    const queue = await start({ ...options(), codec: { ...codec, encode } });
    const enqueued = queue.enqueue(mail.send({ to: SECRET }), { jobId: 'sealed' });
    await expect(enqueued).rejects.toThrow(PayloadCodecError);
    await expect(enqueued).rejects.toThrow(
      'The codec cannot encode the arguments of job sealed of task MailTasks.send: the vault is sealed',
    );
    expect(await queue.job('sealed').state()).toBe('unknown');
  });

  it('that cannot encode a result fails the job at once, whatever attempts are left', async () => {
    const encode = (json: string) => {
      if (json.includes('REFUSE')) throw new Error('the vault is sealed');
      return codec.encode(json);
    };
    const queue = await start({ ...options(), codec: { ...codec, encode } });
    const job = await queue.enqueue(mail.unencodable());
    await expect(resultOf(job)).rejects.toMatchObject({
      job: { error: { code: 'TASKS_PAYLOAD_CODEC', message: expect.stringContaining('the vault is sealed') } },
    });
    await resultOf(queue.job(`${job.id}:failed`));
    expect(runs).toEqual(['unencodable', '["not encoded"]']);
  });

  it('that answers no text is refused in the same way', async () => {
    const queue = await start({ ...options(), codec: { ...codec, encode: () => Buffer.from('') as never } });
    await expect(queue.enqueue(mail.nothing())).rejects.toThrow(/encode\(\) answered object. Make it answer a text/);
  });

  it('is refused at boot where a part of it is missing', async () => {
    await expect(boot({ ...options(), codec: { encode: String } as never })).rejects.toThrow(
      /codec is Object. Give an object with the functions encode\(json\) and decode\(data\)/,
    );
  });
});

describe('On Redis, a job that is encoded', () => {
  const inRedis = () => ({ redis: inject('redisUrl'), prefix: freshPrefix() });
  const foreign: readonly [string, PayloadCodec | undefined, RegExp][] = [
    [
      'the codec with another key',
      aesCodec([['first', randomBytes(32)]]),
      /cannot decode the arguments .*authenticate/,
    ],
    ['the codec without its key', aesCodec([['second', key]]), /there is no key 'first'/],
    ['no codec', undefined, /cannot be read: stored through a codec, and this application has none/],
    ['a codec that answers no text', { ...codec, decode: () => 7 as never }, /decode\(\) answered number/],
  ];

  it.each(foreign)(
    'fails at once at a worker with %s; its retry by the right one succeeds',
    async (_what, other, reason) => {
      const redis = inRedis();
      const producer = await start({ ...redis, codec, worker: false });
      const job = await producer.enqueue(mail.send({ to: SECRET }));
      const wrong = await boot({ ...redis, codec: other });
      await eventually(async () => expect(await job.state()).toBe('failed'));
      const info = (await job.info())!;
      expect(info).toMatchObject({ error: { code: 'TASKS_PAYLOAD_CODEC' }, runs: [{ attempt: 1, outcome: 'failed' }] });
      expect(info.error!.message).toMatch(reason);
      await wrong.close();
      await start({ ...redis, codec });
      expect(await job.retry()).toBe(true);
      expect(await resultOf(job)).toEqual({ sent: SECRET });
      expect(runs).toEqual([SECRET]);
    },
  );

  it.each(foreign)('is shown as it is stored, and its result refused, with %s', async (_what, other) => {
    const redis = inRedis();
    const right = await start({ ...redis, codec });
    const job = await right.enqueue(mail.send({ to: SECRET }));
    await resultOf(job);
    const app = await boot({ ...redis, codec: other, worker: false });
    const encoded = { 'nestjs-tasks:encoded': expect.any(String) };
    expect(await app.get(TaskQueue).job(job.id).info()).toMatchObject({ args: [encoded], result: encoded });
    expect((await app.get(TaskAdmin).list()).jobs).toMatchObject([{ id: job.id, args: [encoded] }]);
    await expect(resultOf(app.get(TaskQueue).job(job.id))).rejects.toThrow(PayloadCodecError);
  });

  it('is read beside those that were stored before there was a codec', async () => {
    const redis = inRedis();
    const before = await start({ ...redis, worker: false });
    const old = await before.enqueue(mail.send({ to: 'old@example.com' }));
    const app = await boot({ ...redis, codec });
    const queue = app.get(TaskQueue);
    expect(await resultOf(queue.job(old.id))).toEqual({ sent: 'old@example.com' });
    const plain = await app.get<Queue>(getQueueToken('default')).add('MailTasks.send', { to: 'bull@example.com' });
    expect(await resultOf(queue.job(String(plain.id)))).toEqual({ sent: 'bull@example.com' });
  });

  it("can be read by Bull's tools and listeners, as it is stored", async () => {
    const heard: unknown[] = [];
    @Processor('default')
    class Listeners {
      @OnQueueCompleted() completed(job: Job, result: unknown): void {
        heard.push(job.data, result);
      }
    }
    const app = await boot({ ...inRedis(), codec }, [Listeners]);
    const job = await app.get(TaskQueue).enqueue(mail.send({ to: SECRET }));
    await resultOf(job);
    const encoded = { 'nestjs-tasks:encoded': expect.any(String) };
    await eventually(() => expect(heard).toEqual([encoded, encoded]));
    const queue = app.get<Queue>(getQueueToken('default'));
    const read = (await queue.getJob(job.id))!;
    expect([read.data, read.returnvalue]).toEqual([encoded, encoded]);
    const [listed] = await new BullAdapter(queue).getJobs(['completed'], 0, 10);
    expect(listed.toJSON()).toMatchObject({ id: job.id, data: encoded, returnvalue: encoded });
    // What Bull writes back is still read.
    await read.update(read.data);
    expect((await job.info())!.args).toEqual([{ to: SECRET }]);
  });

  it('leaves no word of its arguments in any key of the server', async () => {
    const redis = inRedis();
    const app = await boot({ ...redis, codec });
    const [queue, schedules] = [app.get(TaskQueue), app.get(TaskSchedules)];
    const hourly = { name: 'hourly', every: '1h', signature: mail.send({ to: SECRET }) } as const;
    await schedules.set(hourly);
    expect(await resultOf(await schedules.trigger('hourly'))).toEqual({ sent: SECRET });
    await queue.enqueue(mail.limited({ to: SECRET }));
    await queue.enqueue(mail.once({ to: SECRET }), { delay: '1h' });
    await resultOf(await queue.enqueue(mail.send({ to: SECRET })));
    const server = new Redis(redis.redis);
    try {
      const keys = await server.keys(`${redis.prefix}:*`);
      expect(keys.length).toBeGreaterThan(5);
      for (const name of keys) {
        const dump = (await server.dumpBuffer(name)) ?? Buffer.alloc(0);
        const fields = (await server.type(name)) === 'hash' ? JSON.stringify(await server.hgetall(name)) : '';
        expect(`${name} ${fields} ${dump.toString('latin1')}`).not.toContain('lovelace');
      }
    } finally {
      server.disconnect();
    }
  });
});
