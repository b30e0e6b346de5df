import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import { Task, task, TaskAdmin, TaskCancelledError, TaskQueue, TasksModule } from '../../lib/index.js';
import { shortHash } from '../../lib/limits/unique-key.js';
import { startProgram, type Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

/** What the workers' processes run: they note each start and end in Redis, outside of the library. */
const WORKER = `
  import 'reflect-metadata';
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { Redis } from 'ioredis';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { Task, TasksModule } from 'nestjs-tasks';
  const { options, notes } = JSON.parse(process.env.WORKER);
  const effects = new Redis(options.redis);
  const note = (what, key, i) => effects.rpush(notes, JSON.stringify({ what, key, i, at: Date.now(), pid: process.pid }));
  class Work {
    @Task({ name: 'limited' })
    async limited(key: string, i: number) {
      await note('start', key, i);
      await sleep(100);
      await note('end', key, i);
    }
    @Task({ name: 'paced' })
    paced(i: number) {
      void note('start', 'paced', i);
    }
    @Task({ name: 'plain', attempts: 1 })
    async plain(i: number) {
      await note('start', 'plain', i);
      await sleep(i % 7);
      await note('end', 'plain', i);
    }
    @Task({ name: 'doomed', attempts: 1 })
    async doomed(i: number) {
      await note('start', 'doomed', i);
      if (await effects.exists(notes + ':broken')) throw new Error('broken');
    }
  }
  @Module({ imports: [TasksModule.forRoot(options)], providers: [Work] })
  class WorkerModule {}
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
  app.enableShutdownHooks();
  console.log('ready');
`;

/** The producer's side of the same tasks; what it declares is what holds. */
@Injectable()
class Work {
  @Task({ name: 'limited', concurrency: { max: 3, key: (key: string) => key } })
  async limited(_key: string, _i: number): Promise<void> {}

  @Task({ name: 'paced', rateLimit: { max: 10, per: '1s' } })
  paced(_i: number): void {}

  @Task({ name: 'plain', attempts: 1 })
  async plain(_i: number): Promise<void> {}

  @Task({ name: 'doomed', attempts: 1 })
  async doomed(_i: number): Promise<void> {}
}

interface Note {
  what: 'start' | 'end';
  key: string;
  i: number;
  at: number;
  pid: number;
}

const LOCK = 1_000;
const CHECK = 500;
const work = task(Work);

let prefix: string;
let app: INestApplicationContext;
let queue: TaskQueue;
let admin: TaskAdmin;
let redis: Redis;
let children: Child[];

beforeAll(async () => {
  await ensureBuilt();
  redis = new Redis(redisUrl());
});
afterAll(() => redis.disconnect());

beforeEach(async () => {
  prefix = freshPrefix();
  children = [];
  @Module({ imports: [TasksModule.forRoot({ redis: redisUrl(), prefix, worker: false })], providers: [Work] })
  class ProducerModule {}
  app = await NestFactory.createApplicationContext(ProducerModule, { logger: false });
  queue = app.get(TaskQueue);
  admin = app.get(TaskAdmin);
});

afterEach(async () => {
  await Promise.all(children.map((child) => child.kill('SIGKILL')));
  await app.close();
});

async function startWorkers(count: number, concurrency = 40): Promise<Child[]> {
  const options = {
    redis: redisUrl(),
    prefix,
    queues: { default: { concurrency } },
    lockDuration: LOCK,
    stalledInterval: CHECK,
  };
  const env = { WORKER: JSON.stringify({ options, notes: `${prefix}:notes` }) };
  const started = Array.from({ length: count }, () => startProgram(WORKER, env));
  children.push(...started);
  await Promise.all(started.map((child) => child.printed(/ready/)));
  return started;
}

async function notes(): Promise<Note[]> {
  const lines = await redis.lrange(`${prefix}:notes`, 0, -1);
  return lines.map((line) => JSON.parse(line) as Note);
}

/** The most runs of one key that were going on at a time; runs of a process end at the latest when it was killed. */
function mostAtOnce(of: readonly Note[], killed: ReadonlyMap<number, number> = new Map()): number {
  const steps: [at: number, change: number][] = [];
  const open = new Map<string, Note>();
  for (const note of of) {
    const run = `${note.pid} ${note.i}`;
    if (note.what === 'start') open.set(run, note);
    else open.delete(run);
    steps.push([note.at, note.what === 'start' ? 1 : -1]);
  }
  for (const { pid } of open.values()) steps.push([killed.get(pid) ?? Infinity, -1]);
  let going = 0;
  let most = 0;
  // Of two steps of one millisecond the end comes first: which it was nobody can tell.
  for (const [, change] of steps.toSorted(([a, x], [b, y]) => a - b || x - y)) {
    going += change;
    most = Math.max(most, going);
  }
  return most;
}

const KEYS = Array.from({ length: 10 }, (_, index) => `tenant-${index}`);

describe('a concurrency limit of 3 per key, with two worker processes', () => {
  it('is never passed, and costs at most a fifth of the ideal time', async () => {
    await startWorkers(2);
    const calls = Array.from({ length: 200 }, (_, i) => work.limited(KEYS[i % KEYS.length], i));
    const jobs = await queue.enqueueMany(calls);
    await Promise.all(jobs.map((job) => job.result({ timeout: '20s' })));
    const all = await notes();
    for (const key of KEYS) expect(mostAtOnce(all.filter((note) => note.key === key))).toBe(3);
    expect(all.filter(({ what }) => what === 'end')).toHaveLength(200);
    const time = Math.max(...all.map(({ at }) => at)) - Math.min(...all.map(({ at }) => at));
    const ideal = Math.ceil(20 / 3) * 100;
    expect(time).toBeLessThan(ideal * 1.2);
  });

  it('holds while workers are killed, and every slot is given back', async () => {
    const [dying, doomed] = await startWorkers(3);
    const calls = Array.from({ length: 120 }, (_, i) => work.limited(KEYS[i % 4], i));
    const jobs = await queue.enqueueMany(calls);
    const killed = new Map<number, number>();
    for (const [child, after] of [
      [dying, 20],
      [doomed, 50],
    ] as const) {
      await eventually(async () => expect((await notes()).length).toBeGreaterThan(after));
      await child.kill('SIGKILL');
      killed.set(child.pid, Date.now());
    }
    await Promise.all(jobs.map((job) => job.result({ timeout: '30s' })));
    const all = await notes();
    expect(new Set(all.filter(({ what }) => what === 'end').map(({ i }) => i)).size).toBe(120);
    for (const key of KEYS.slice(0, 4)) {
      const own = all.filter((note) => note.key === key);
      expect(mostAtOnce(own, killed)).toBeLessThanOrEqual(3);
    }
    expect(await redis.exists(...KEYS.map((key) => `${prefix}:default:slots:limited:${shortHash(key)}`))).toBe(0);
    expect(await admin.counts()).toMatchObject({ waiting: 0, active: 0 });
  });
});

describe('a rate of 10 per second, with two worker processes', () => {
  it('is passed in no sliding second, and costs at most 15 % of the ideal time', async () => {
    await startWorkers(2);
    const jobs = await queue.enqueueMany(Array.from({ length: 100 }, (_, i) => work.paced(i)));
    await Promise.all(jobs.map((job) => job.result({ timeout: '25s' })));
    const starts = (await notes()).map(({ at }) => at).toSorted((a, b) => a - b);
    expect(starts).toHaveLength(100);
    for (let i = 10; i < starts.length; i++) expect(starts[i] - starts[i - 10]).toBeGreaterThanOrEqual(1_000);
    expect(starts.at(-1)! - starts[0]).toBeLessThan(9_000 * 1.15);
  });
});

describe('cancelling jobs while two processes work them', () => {
  it('ends each job one way only, and says which', async () => {
    await startWorkers(2, 5);
    const jobs = await queue.enqueueMany(Array.from({ length: 300 }, (_, i) => work.plain(i)));
    const answers = await Promise.all(jobs.toReversed().map((job) => job.cancel()));
    const cancelled = jobs.filter((_job, index) => answers[jobs.length - 1 - index]);
    const others = jobs.filter((_job, index) => !answers[jobs.length - 1 - index]);
    await Promise.all(others.map((job) => job.result({ timeout: '20s' })));
    for (const job of cancelled) {
      expect(await job.state()).toBe('cancelled');
      await expect(job.result()).rejects.toThrow(TaskCancelledError);
    }
    expect(cancelled.length).toBeGreaterThan(0);
    await eventually(async () => expect(await admin.counts('default')).toMatchObject({ waiting: 0, active: 0 }));
    const ended = (await notes()).filter(({ what }) => what === 'end').map(({ i }) => i);
    expect(new Set(ended).size).toBe(ended.length);
    const ids = new Map(jobs.map((job, i) => [job.id, i]));
    for (const job of others) expect(ended).toContain(ids.get(job.id));
  });
});

describe('one unique call made a hundred times at once, while two processes work', () => {
  it('makes one job at a time, and every caller is told which', async () => {
    await queue.pause('default');
    await startWorkers(2);
    const handles = await Promise.all(
      Array.from({ length: 100 }, () => queue.enqueue(work.plain(6), { unique: { until: 'finished' } })),
    );
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(handles.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    await queue.resume('default');
    await Promise.all(handles.map((handle) => handle.result({ timeout: '10s' })));
    expect((await notes()).filter(({ what }) => what === 'start')).toHaveLength(1);
    const again = await queue.enqueue(work.plain(6), { unique: { until: 'finished' } });
    expect(again.deduplicated).toBe(false);
  });
});

describe('a bulk retry during which new jobs fail', () => {
  it('takes each job that had failed once, and none of the new ones', async () => {
    await redis.set(`${prefix}:notes:broken`, '1', 'EX', 60);
    await startWorkers(2);
    const first = await queue.enqueueMany(Array.from({ length: 500 }, (_, i) => work.doomed(i)));
    await eventually(async () => expect(await admin.counts('default')).toMatchObject({ failed: 500 }));
    let late: Promise<unknown> | undefined;
    const retried = await admin.retry(
      { task: 'doomed' },
      { onProgress: () => (late ??= queue.enqueueMany(Array.from({ length: 50 }, (_, i) => work.doomed(1_000 + i)))) },
    );
    expect(retried).toBe(first.length);
    await late;
    await eventually(async () =>
      expect(await admin.counts('default')).toMatchObject({ failed: 550, waiting: 0, active: 0 }),
    );
    const runs = (await notes()).map(({ i }) => i);
    expect(runs.filter((i) => i < 500)).toHaveLength(1_000);
    expect(runs.filter((i) => i >= 1_000)).toHaveLength(50);
  });
});
