import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewJob } from '../../lib/contracts/engine.js';
import type { JobRules } from '../../lib/contracts/job.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

const RULES: JobRules = {
  tags: ['a'],
  expiresAt: Date.now() + 3_600_000,
  unique: { key: 'k', until: 'finished', onConflict: 'return' },
  concurrency: { key: 'k', max: 1 },
  rate: { key: 'k', max: 5, per: 1_000 },
};

/** Every key of a queue; `victim` is a job that waits with all rules there are. */
const LISTS = ['wait', 'paused', 'active', 'high', 'low', 'arriving'];
const SORTED = [
  'delayed',
  'priority',
  'completed',
  'failed',
  'cancelled',
  'expired',
  'kept',
  'expiring',
  'parked',
  'paced',
  'repeat',
];
const OTHERS = ['id', 'parks', 'stalled', 'stalled-check', 'limits', 'gone', 'meta', 'limiter'];
const OF_RULES = ['tag:a', 'slots:k', 'rate:k', 'reserved:k', 'parked:slots:k', 'parked:rate:k', 'unique:k'];
const OF_JOBS = ['victim', 'victim:lock', 'victim:logs', 'parked:after:victim', 'de:victim', 'failed:Mail.send'];
const KEYS = [LISTS, SORTED, OTHERS, OF_RULES, OF_JOBS].flat();

/** Something of each type that Redis has, none of which means anything here. */
const GARBAGE: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  'a text': (redis, key) => redis.set(key, 'garbage'),
  'a list': (redis, key) => redis.rpush(key, 'garbage', '', 'wait', '{"a":1}'),
  'a set': (redis, key) => redis.sadd(key, 'garbage', '', 'wait'),
  'a hash': (redis, key) => redis.hset(key, { garbage: '1', '': '', name: 'x', rules: '{"tags":7}' }),
  'a sorted set': (redis, key) => redis.zadd(key, '-5', 'garbage', '+inf', '', '1', 'wait'),
  'a stream': (redis, key) => redis.xadd(key, '*', 'garbage', '1'),
};

let engine: BullEngine;
let redis: Redis;
let base: string;

beforeEach(() => {
  Logger.overrideLogger(false);
  const prefix = freshPrefix();
  base = `${prefix}:default:`;
  redis = new Redis(redisUrl());
  engine = new BullEngine({
    redis: redisUrl(),
    prefix,
    queues: ['default', 'mail'],
    lockDuration: 500,
    stalledInterval: 100,
    commandTimeout: 2_000,
  });
});

afterEach(async () => {
  await engine.close();
  redis.disconnect();
});

const STATES = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'expired'] as const;

/** Everything that only reads. */
async function readAll(): Promise<void> {
  const victim = { id: 'victim' };
  await engine.state(victim);
  await engine.state({ id: 'victim', queue: 'default' });
  await engine.find([victim, { id: 'healthy', queue: 'default' }]);
  await engine.counts('default');
  await engine.isPaused('default');
  for (const state of STATES) await engine.list({ queue: 'default', state, limit: 10 });
  await engine.list({ queue: 'default', limit: 100 });
  await engine.list({ queue: 'default', tag: 'a', limit: 100 });
}

async function runs(job: NewJob): Promise<void> {
  await engine.enqueue([job]);
  await eventually(async () => expect(await engine.state({ id: job.id })).toBe('completed'), { timeout: 4_000 });
}

describe.each(KEYS)('a key %s', (name) => {
  it.each(Object.keys(GARBAGE))('that is %s breaks no read, no call and no healthy job', async (kind) => {
    await engine.enqueue([newJob('victim', { rules: RULES, dueAt: Date.now() + 60_000 })]);
    await engine.log({ id: 'victim' }, 'A line.');
    await redis.del(base + name);
    await GARBAGE[kind](redis, base + name);
    await readAll();
    engine.work('default', { concurrency: 5, worker: 'host:1', suspectFrom: 2 }, ({ id }) => ({
      outcome: Promise.resolve(
        id.startsWith('fails')
          ? { type: 'failed', error: { name: 'Error', message: 'x' }, keep: { age: 60_000, count: 5 } }
          : { type: 'completed', keep: 60_000 },
      ),
      abort: () => undefined,
    }));
    await runs(newJob('healthy'));
    await runs(newJob('ruled', { rules: { ...RULES, unique: { ...RULES.unique!, key: 'other' } } }));
    await engine.enqueue([newJob('fails')]);
    await eventually(async () => expect(await engine.state({ id: 'fails' })).toBe('failed'), { timeout: 4_000 });
    await engine.cancel([{ id: 'victim' }]);
    await engine.retry([{ id: 'victim' }]);
    await engine.move([{ id: 'victim', queue: 'default' }], 'mail');
    await engine.remove([{ id: 'victim' }]);
    await engine.pause('default', 'cluster');
    await engine.resume('default', 'cluster');
    await readAll();
    await runs(newJob('afterwards'));
  });
});
