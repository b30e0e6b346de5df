import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActiveJob, EngineWorker } from '../../lib/contracts/engine.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

const LOCK = 1_000;
const engines: BullEngine[] = [];
const runs: Deferred<Outcome>[] = [];
let redis: Redis;
let base: string;
let prefix: string;

beforeEach(() => {
  Logger.overrideLogger(false);
  prefix = freshPrefix();
  base = `${prefix}:default:`;
  redis = new Redis(redisUrl());
});

afterEach(async () => {
  for (const outcome of runs.splice(0)) outcome.resolve({ type: 'declined', delay: 0 });
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  redis.disconnect();
});

function anEngine(stalledInterval = 100): BullEngine {
  const queues = ['default'];
  const times = { lockDuration: LOCK, stalledInterval, commandTimeout: 2_000 };
  const engine = new BullEngine({ redis: redisUrl(), prefix, queues, ...times });
  engines.push(engine);
  return engine;
}

interface Taken {
  job: ActiveJob;
  outcome: Deferred<Outcome>;
}

/** Takes jobs, unbegun from two crashes on, and leaves them going. */
function work(engine: BullEngine): { taken: Taken[]; worker: EngineWorker } {
  const taken: Taken[] = [];
  const worker = engine.work('default', { concurrency: 5, worker: 'host:1', suspectFrom: 2 }, (job) => {
    const outcome = deferred<Outcome>();
    taken.push({ job, outcome });
    runs.push(outcome);
    return { outcome: outcome.promise, abort: () => undefined };
  });
  return { taken, worker };
}

/** A job that has crashed so often, taken by a worker of this engine. */
async function takenJob(engine: BullEngine, crashes: number) {
  await engine.enqueue([newJob('job')]);
  await redis.hset(`${base}job`, 'stalledCounter', crashes);
  const { taken } = work(engine);
  await eventually(() => expect(taken).toHaveLength(1));
  return taken[0];
}

/** What its process leaves behind when it dies. */
async function loseLock(): Promise<void> {
  await redis.del(`${base}job:lock`);
}

const find = async (engine: BullEngine) => (await engine.find([{ id: 'job' }]))[0];

describe('a job that was handed over unbegun', () => {
  it('is active, with no run on record yet', async () => {
    const engine = anEngine();
    await takenJob(engine, 2);
    const record = await find(engine);
    expect(record).toMatchObject({ state: 'active', crashes: 2, runs: [] });
    expect(record).not.toHaveProperty('startedAt');
  });

  it('has not crashed when its process dies', async () => {
    const engine = anEngine(0);
    await takenJob(engine, 2);
    await loseLock();
    const other = work(anEngine());
    await eventually(() => expect(other.taken).toHaveLength(1));
    expect(other.taken[0].job).toMatchObject({ crashes: 2, runs: [] });
  });

  it('is on record from its begin on, and crashes like any other after it', async () => {
    const engine = anEngine(0);
    await takenJob(engine, 2);
    const before = Date.now();
    expect(await engine.begin({ id: 'job', queue: 'default' })).toBe(true);
    const { startedAt, runs } = (await find(engine))!;
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(runs).toEqual([{ attempt: 1, startedAt, worker: 'host:1' }]);
    await loseLock();
    const other = work(anEngine());
    await eventually(() => expect(other.taken).toHaveLength(1));
    expect(other.taken[0].job).toMatchObject({ crashes: 3, runs: [{ outcome: 'crashed', worker: 'host:1' }] });
  });

  it('keeps its lock for as long as it waits', async () => {
    const engine = anEngine();
    const { outcome } = await takenJob(engine, 2);
    const until = Date.now() + LOCK * 1.5;
    await eventually(() => expect(Date.now()).toBeGreaterThan(until));
    expect(await engine.begin({ id: 'job' })).toBe(true);
    outcome.resolve({ type: 'completed', keep: 60_000 });
    await eventually(async () => expect(await find(engine)).toMatchObject({ state: 'completed', crashes: 2 }));
  });

  it('must not begin once its lock is lost', async () => {
    const engine = anEngine(0);
    await takenJob(engine, 2);
    await loseLock();
    expect(await engine.begin({ id: 'job' })).toBe(false);
  });

  it('leaves no run behind when it is cancelled', async () => {
    const engine = anEngine();
    await takenJob(engine, 2);
    expect(await engine.cancel([{ id: 'job' }])).toEqual([true]);
    expect(await find(engine)).toMatchObject({ state: 'cancelled', runs: [] });
    expect(await redis.hget(`${base}job`, 'worker')).toBeNull();
  });

  it('can neither be removed nor moved', async () => {
    const engine = anEngine();
    await takenJob(engine, 2);
    expect(await engine.remove([{ id: 'job' }])).toEqual([false]);
  });
});

describe('a job with fewer crashes', () => {
  it('begins when it is handed over', async () => {
    const engine = anEngine();
    await takenJob(engine, 1);
    expect((await find(engine))!.runs).toMatchObject([{ worker: 'host:1' }]);
  });
});
