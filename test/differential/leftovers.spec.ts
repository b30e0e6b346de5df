import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewJob } from '../../lib/contracts/engine.js';
import type { JobRules } from '../../lib/contracts/job.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { deferred, eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';

const base = 'tasks:default:';
let server: OwnServer;
const engines: BullEngine[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await startOwnServer();
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await server.admin.flushall();
});
afterAll(() => server.stop());

function anEngine(): BullEngine {
  const engine = new BullEngine({
    redis: { host: '127.0.0.1', port: server.port },
    prefix: 'tasks',
    queues: ['default'],
    lockDuration: 500,
    stalledInterval: 100,
    commandTimeout: 2_000,
  });
  engines.push(engine);
  return engine;
}

function work(engine: BullEngine, keep = 0): string[] {
  const started: string[] = [];
  engine.work('default', { concurrency: 5, worker: 'host:1', suspectFrom: 2 }, ({ id }) => {
    started.push(id);
    return { outcome: Promise.resolve({ type: 'completed', keep }), abort: () => undefined };
  });
  return started;
}

const RULES: JobRules = {
  tags: ['a'],
  expiresAt: Date.now() + 3_600_000,
  unique: { key: 'k', until: 'finished', onConflict: 'return' },
  concurrency: { key: 'k', max: 1 },
  rate: { key: 'k', max: 1, per: 200 },
};

/** Keys that hold nothing of a job: counters, and a mark of the last check that ends by itself. */
const BASELINE = ['id', 'parks', 'stalled-check'].map((name) => base + name);

async function keysBesideBaseline(): Promise<string[]> {
  const keys = await server.admin.keys('*');
  return keys.filter((key) => !BASELINE.includes(key)).toSorted();
}

async function becomesEmpty(): Promise<void> {
  await eventually(async () => expect(await keysBesideBaseline()).toEqual([]), { timeout: 15_000 });
}

describe('What is left of jobs', () => {
  it('whose hashes were evicted or removed by a tool is taken away by an idle worker', async () => {
    const engine = anEngine();
    const failed = { age: 3_600_000, count: 100 };
    const over = deferred<Outcome>();
    engine.work('default', { concurrency: 5, worker: 'host:1' }, ({ id }) => ({
      outcome: id.startsWith('f')
        ? Promise.resolve({ type: 'failed', error: { name: 'Error', message: 'x' }, keep: failed })
        : id.startsWith('c')
          ? Promise.resolve({ type: 'completed', keep: 3_600_000 })
          : over.promise,
      abort: () => undefined,
    }));
    const jobs: NewJob[] = [
      newJob('c1', { rules: { tags: ['a'] } }),
      newJob('f1', { rules: { tags: ['a', 'b'] } }),
      newJob('running', { rules: RULES }),
      newJob('second', { rules: { ...RULES, unique: undefined } }),
      newJob('third', { rules: { rate: RULES.rate } }),
      newJob('late', { dueAt: Date.now() + 3_600_000, rules: { expiresAt: Date.now() + 7_200_000 } }),
    ];
    await engine.enqueue(jobs);
    await engine.log({ id: 'running' }, 'A line.');
    await engine.enqueue([newJob('stopped', { dueAt: Date.now() + 60_000 })]);
    await engine.cancel([{ id: 'stopped' }]);
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: 1, failed: 1 }));
    const redis = server.admin;
    await redis.set(`${base}de:topic`, 'c1');
    await redis.hset(`${base}half`, { progress: '5' });
    await redis.hset(`${base}half2`, { data: '[]', opts: '{}', attemptsMade: '1' });
    await redis.sadd(`${base}stalled`, 'nobody');
    await redis.rpush(`${base}wait`, 'nobody');
    await redis.rpush(`${base}gone1:logs`, 'line');
    const before = (await keysBesideBaseline()).length;
    // What an eviction or another tool does: the hashes go, everything else stays.
    await redis.del(...[...jobs.map(({ id }) => id), 'stopped'].map((id) => base + id));
    await redis.del(`${base}running:lock`);
    const left = (await keysBesideBaseline()).length;
    over.resolve({ type: 'completed', keep: 0 });
    work(anEngine());
    await becomesEmpty();
    console.log(`Of ${before} keys, ${left} were left when the jobs were gone, and none after the sweep`);
    expect(left).toBeGreaterThan(12);
  }, 30_000);

  it('is nothing once 200 jobs of every kind have ended', async () => {
    const engine = anEngine();
    const started = work(engine);
    const jobs = Array.from({ length: 200 }, (_one, index) =>
      newJob(`job-${index}`, {
        rules: [undefined, { tags: ['a'] }, { concurrency: { key: `k${index % 3}`, max: 2 } }, { priority: 'high' }][
          index % 4
        ] as JobRules | undefined,
        dueAt: index % 7 === 0 ? Date.now() + 50 : undefined,
      }),
    );
    await engine.enqueue(jobs);
    await eventually(() => expect(started).toHaveLength(200));
    await becomesEmpty();
  }, 30_000);
});

describe('A job that stands nowhere', () => {
  it('because its list was overwritten waits again', async () => {
    const engine = anEngine();
    await engine.enqueue([newJob('a'), newJob('b', { rules: { priority: 'high' } })]);
    await server.admin.set(`${base}wait`, 'garbage');
    await server.admin.del(`${base}high`);
    const started = work(engine);
    await eventually(() => expect(started.toSorted()).toEqual(['a', 'b']), { timeout: 15_000 });
  }, 30_000);

  it('and was being run, is recovered as one whose process died', async () => {
    const engine = anEngine();
    await engine.enqueue([newJob('a')]);
    await server.admin.del(`${base}wait`);
    await server.admin.hset(`${base}a`, { worker: 'host:9', processedOn: '1000' });
    const started = work(engine, 60_000);
    await eventually(() => expect(started).toEqual(['a']), { timeout: 15_000 });
    await eventually(async () =>
      expect(await engine.find([{ id: 'a' }])).toMatchObject([
        { crashes: 1, runs: [{ outcome: 'crashed', worker: 'host:9' }, { outcome: 'completed' }] },
      ]),
    );
  }, 30_000);

  it('is left alone where it is none, or may belong to another application', async () => {
    const engine = anEngine();
    await server.admin.hset(`${base}eu:1`, { name: 'Mail.send', data: '[]', opts: '{}', timestamp: '1' });
    await server.admin.rpush(`${base}failed:wait`, '1');
    await server.admin.hset(`${base}schedules`, { name: '{}', progress: '{}' });
    await server.admin.hset(`${base}meta`, { data: 'of BullMQ' });
    const started = work(engine);
    await engine.enqueue([newJob('a')]);
    await eventually(() => expect(started).toEqual(['a']));
    const until = Date.now() + 6_000;
    await eventually(() => expect(Date.now()).toBeGreaterThan(until));
    expect(started).toEqual(['a']);
    expect(await server.admin.lrange(`${base}failed:wait`, 0, -1)).toEqual(['1']);
    expect(await server.admin.exists(`${base}eu:1`, `${base}schedules`, `${base}meta`)).toBe(3);
  }, 30_000);

  it('never is one that waits, runs, is delayed or parked', async () => {
    const engine = anEngine();
    const jobs = [
      newJob('waits', { rules: { concurrency: { key: 'k', max: 1 } } }),
      newJob('second', { rules: { concurrency: { key: 'k', max: 1 } } }),
      newJob('late', { dueAt: Date.now() + 3_600_000 }),
    ];
    await engine.enqueue(jobs);
    const starts: string[] = [];
    let end!: () => void;
    const over = new Promise<void>((resolve) => (end = resolve));
    engine.work('default', { concurrency: 5, worker: 'host:1' }, ({ id }) => {
      starts.push(id);
      return { outcome: over.then(() => ({ type: 'completed', keep: 60_000 })), abort: () => undefined };
    });
    const until = Date.now() + 11_000;
    await eventually(() => expect(Date.now()).toBeGreaterThan(until), { timeout: 15_000 });
    expect(starts).toEqual(['waits']);
    end();
    await eventually(() => expect(starts).toEqual(['waits', 'second']));
    expect(await engine.counts('default')).toMatchObject({ delayed: 1 });
  }, 30_000);
});
