import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import { Task, task, TaskQueue, TasksModule, type JobHandle, type TasksModuleOptions } from '../../lib/index.js';
import { startProgram, type Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

/** What the worker processes run. Each start and end is noted in Redis, outside of the library. */
const WORKER = `
  import 'reflect-metadata';
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { Redis } from 'ioredis';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { Ctx, Task, TaskContext, TasksModule } from 'nestjs-tasks';
  const { options, notes } = JSON.parse(process.env.WORKER);
  const effects = new Redis(options.redis);
  const note = (what, key) => effects.rpush(notes, JSON.stringify({ what, key, at: Date.now(), pid: process.pid }));
  class Work {
    @Task({ name: 'innocent' })
    async innocent(name: string) {
      await note('start', name);
      // The first time so long that a process is full with them while another has died and is replaced.
      await sleep((await effects.incr(notes + ':' + name)) === 1 ? 6_000 : 600);
      await note('end', name);
    }
    @Task({ name: 'pill' })
    async pill() {
      await note('start', 'pill');
      await sleep(300);
      process.kill(process.pid, 'SIGKILL');
      await sleep(60_000);
    }
    @Task({ name: 'exits' })
    exits() {
      process.exit(7);
    }
    @Task({ name: 'blocks', attempts: 1 })
    async blocks(milliseconds: number, @Ctx() { signal }: TaskContext) {
      const starts = await note('start', 'blocks');
      signal.addEventListener('abort', () => console.log('ABORTED ' + signal.reason.name));
      const until = Date.now() + (starts === 1 ? milliseconds : 0);
      while (Date.now() < until);
      await sleep(500);
      return starts;
    }
    @Task({ name: 'endless', timeout: false })
    async endless(@Ctx() { signal }: TaskContext) {
      await note('start', 'endless');
      await sleep(3_600_000, undefined, { signal });
    }
  }
  @Module({ imports: [TasksModule.forRoot(options)], providers: [Work] })
  class WorkerModule {}
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  console.log('READY');
`;

class Work {
  @Task({ name: 'innocent' }) async innocent(_name: string): Promise<void> {}
  @Task({ name: 'pill' }) async pill(): Promise<void> {}
  @Task({ name: 'exits' }) exits(): void {}
  @Task({ name: 'blocks', attempts: 1 }) async blocks(_milliseconds: number): Promise<number> {
    return 0;
  }
  @Task({ name: 'endless' }) async endless(): Promise<void> {}
}

interface Note {
  what: 'start' | 'end';
  key: string;
  at: number;
  pid: number;
}

const LOCK = 1_000;
const CHECK = 500;
const work = task(Work);
let prefix: string;
let app: INestApplicationContext;
let queue: TaskQueue;
let redis: Redis;
const children: Child[] = [];

beforeAll(async () => {
  await ensureBuilt();
  redis = new Redis(redisUrl());
}, 180_000);
afterAll(() => redis.disconnect());

beforeEach(async () => {
  prefix = freshPrefix();
  @Module({ imports: [TasksModule.forRoot({ redis: redisUrl(), prefix, worker: false })], providers: [Work] })
  class ProducerModule {}
  app = await NestFactory.createApplicationContext(ProducerModule, { logger: false });
  queue = app.get(TaskQueue);
});

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill('SIGKILL')));
  await app.close();
});

function startWorker(changes: TasksModuleOptions = {}): Child {
  const options = { redis: redisUrl(), prefix, lockDuration: LOCK, stalledInterval: CHECK, ...changes };
  const child = startProgram(WORKER, { WORKER: JSON.stringify({ options, notes: `${prefix}:notes` }) });
  children.push(child);
  return child;
}

async function notes(): Promise<Note[]> {
  return (await redis.lrange(`${prefix}:notes`, 0, -1)).map((text) => JSON.parse(text) as Note);
}

/** Starts a new worker for each one that has died, until what is waited for has happened. */
async function replaceTheDead(count: number, until: Promise<unknown>): Promise<number> {
  let deaths = 0;
  const state = { isOver: false };
  const end = (): void => void (state.isOver = true);
  const over = until.then(end, end);
  const keepAlive = async (): Promise<void> => {
    while (!state.isOver) {
      const child = startWorker();
      await Promise.race([child.ended(120_000), over]);
      if (!state.isOver) deaths++;
    }
  };
  await Promise.all([over, ...Array.from({ length: count }, keepAlive)]);
  return deaths;
}

describe('A worker process that is killed', () => {
  it('gives its jobs to another within lock and check, whatever their timeout', async () => {
    const took: number[] = [];
    startWorker({ queues: { default: { concurrency: 1 } } });
    for (let kill = 1; kill <= 3; kill++) {
      const job = await queue.enqueue(work.endless());
      const first = await startOf('endless');
      startWorker({ queues: { default: { concurrency: 1 } } });
      await children.at(-1)!.printed(/READY/);
      const dying = children.find(({ pid }) => pid === first.pid)!;
      const killedAt = Date.now();
      await dying.kill('SIGKILL');
      const second = await startOf('endless', first.pid);
      took.push(second.at - killedAt);
      await job.cancel();
      await redis.del(`${prefix}:notes`);
    }
    console.log(`Recovery after kill -9: ${took.join(', ')} ms (lock ${LOCK} + check ${CHECK} ms)`);
    expect(Math.max(...took)).toBeLessThan(LOCK + CHECK + 500);
  }, 60_000);

  it('gives them to a worker that starts later as soon as it does, however rarely it checks', async () => {
    const dying = startWorker({ stalledInterval: '1h' });
    const job = await queue.enqueue(work.endless());
    const first = await startOf('endless');
    await dying.kill('SIGKILL');
    await eventually(() => expect(Date.now() - first.at).toBeGreaterThan(LOCK * 1.6));
    const next = startWorker({ stalledInterval: '1h' });
    await next.printed(/READY/);
    const readyAt = Date.now();
    const second = await startOf('endless', first.pid);
    console.log(`Recovery at the start of a worker: ${Math.max(0, second.at - readyAt)} ms after it was ready`);
    expect(second.at - readyAt).toBeLessThan(1_000);
    expect(await job.info()).toMatchObject({ crashes: 1, runs: [{ outcome: 'crashed' }, {}] });
  }, 40_000);
});

describe('A task that ends its process', () => {
  it('is dead after three of them, its neighbours die with it twice, and each of them completes', async () => {
    const innocents: JobHandle[] = [];
    const add = async (count: number): Promise<void> => {
      const names = Array.from({ length: count }, (_one, index) => `innocent-${innocents.length + index}`);
      innocents.push(...(await queue.enqueueMany(names.map((name) => work.innocent(name)))));
    };
    await add(10);
    const pill = await queue.enqueue(work.pill());
    await add(10);
    const ends = Promise.allSettled([pill, ...innocents].map((job) => job.result({ timeout: '90s' })));
    const startedAt = Date.now();
    const deaths = await replaceTheDead(2, ends);
    const [pillEnd, ...innocentEnds] = await ends;
    const infos = await Promise.all(innocents.map((job) => job.info()));
    const crashed = infos.filter((info) => info!.crashes > 0).length;
    const suspects = infos.filter((info) => info!.crashes === 2).length;
    console.log(
      `A pill and 20 innocents in 2 processes: ${deaths} processes died, pill dead after 3, ` +
        `${innocentEnds.filter(({ status }) => status === 'fulfilled').length} of 20 innocents completed ` +
        `(${crashed} were hit, ${suspects} of them twice), in ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`,
    );
    expect(pillEnd).toMatchObject({ reason: { job: { error: { name: 'TaskCrashedError' } } } });
    expect(innocentEnds.map(({ status }) => status)).toEqual(innocents.map(() => 'fulfilled'));
    expect(deaths).toBe(3);
    expect((await pill.info())!.crashes).toBe(3);
    expect(suspects).toBeGreaterThan(0);
    // Nobody else was running when the pill had its last try.
    const all = await notes();
    const lastTry = all.filter(({ what, key }) => what === 'start' && key === 'pill').at(-1)!;
    const running = new Set<string>();
    for (const { what, key, pid } of all.slice(0, all.indexOf(lastTry))) {
      if (pid !== lastTry.pid) continue;
      if (what === 'start') running.add(key);
      else running.delete(key);
    }
    expect([...running]).toEqual([]);
    expect(children.map(({ output }) => output).join('')).toMatch(/its last try is run alone/);
  }, 120_000);

  it('by process.exit() is no different', async () => {
    const job = await queue.enqueue(work.exits());
    const end = job.result({ timeout: '60s' });
    expect(await replaceTheDead(1, end)).toBe(3);
    await expect(end).rejects.toMatchObject({ job: { error: { code: 'TASKS_TASK_CRASHED' } } });
  }, 80_000);
});

describe('A task that blocks the event loop for longer than a lock lasts', () => {
  it('is warned of by its name, loses its job to another worker, and is told so', async () => {
    startWorker();
    const job = await queue.enqueue(work.blocks(LOCK * 3));
    const first = await startOf('blocks');
    startWorker();
    expect(await job.result({ timeout: '20s' })).toBe(2);
    const blocked = children.find(({ pid }) => pid === first.pid)!;
    await blocked.printed(/event loop was blocked for \d{4} ms while these tasks ran: blocks\./);
    await blocked.printed(/ABORTED JobLockLostError/);
    expect(await job.info()).toMatchObject({ crashes: 1, runs: [{ outcome: 'crashed' }, { outcome: 'completed' }] });
  }, 40_000);
});

/** When and where a task started, in another process than this one. */
async function startOf(key: string, notIn = 0): Promise<Note> {
  return eventually(async () => {
    const note = (await notes()).find((one) => one.what === 'start' && one.key === key && one.pid !== notIn);
    if (!note) throw new Error(`${key} has not started. ${children.map(({ output }) => output).join('\n')}`);
    return note;
  });
}
