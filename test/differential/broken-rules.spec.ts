import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

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
    lockDuration: 1_000,
    stalledInterval: 200,
    commandTimeout: 2_000,
  });
});

afterEach(async () => {
  await engine.close();
  redis.disconnect();
});

function work(keep = 60_000): string[] {
  const started: string[] = [];
  engine.work('default', { concurrency: 5, worker: 'host:1' }, (job) => {
    started.push(job.id);
    return { outcome: Promise.resolve({ type: 'completed', keep }), abort: () => undefined };
  });
  return started;
}

const RULES = [
  'no JSON',
  '[]',
  '7',
  '{"priority":{}}',
  '{"priority":"highest"}',
  '{"tags":[{},null,1,"a"]}',
  '{"tags":"a"}',
  '{"expiresAt":"soon"}',
  '{"expiresAt":1e300}',
  '{"unique":{"key":7,"until":"finished"}}',
  '{"unique":{"key":"k"}}',
  '{"unique":{"key":"k","until":1e300}}',
  '{"concurrency":{"key":"k","max":0}}',
  '{"concurrency":{"key":"k","max":"one"}}',
  '{"rate":{"key":"k","max":1,"per":1e300}}',
  '{"rate":{"key":{},"max":1,"per":1}}',
];

describe.each(RULES)('a job whose rules are %s', (rules) => {
  it('runs once like one that has none, is found, listed and counted, and stops nobody', async () => {
    await engine.enqueue([newJob('broken'), newJob('sound')]);
    await redis.hset(`${base}broken`, 'rules', rules);
    expect(await engine.state({ id: 'broken' })).toBe('waiting');
    expect(await engine.find([{ id: 'broken' }])).toMatchObject([{ id: 'broken', state: 'waiting' }]);
    expect((await engine.list({ queue: 'default', limit: 10 })).jobs).toHaveLength(2);
    expect(await engine.move([{ id: 'broken', queue: 'default' }], 'mail')).toEqual([true]);
    expect(await engine.move([{ id: 'broken', queue: 'mail' }], 'default')).toEqual([true]);
    const started = work();
    await eventually(() => expect(started.toSorted()).toEqual(['broken', 'sound']));
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: 2, active: 0 }));
    expect(await engine.remove([{ id: 'broken', queue: 'default' }])).toEqual([true]);
  });

  it('can be cancelled and retried', async () => {
    await engine.enqueue([newJob('broken')]);
    await redis.hset(`${base}broken`, 'rules', rules);
    expect(await engine.cancel([{ id: 'broken' }])).toEqual([true]);
    expect(await engine.retry([{ id: 'broken' }])).toEqual([true]);
    const started = work(0);
    await eventually(() => expect(started).toEqual(['broken']));
    await eventually(async () => expect(await engine.state({ id: 'broken' })).toBe('unknown'));
  });
});

describe.each([
  ['slots:k', { concurrency: { key: 'k', max: 1 } }],
  ['rate:k', { rate: { key: 'k', max: 1, per: 100 } }],
  ['reserved:k', { rate: { key: 'k', max: 1, per: 100 } }],
])('a key %s of another type', (key, rules) => {
  it('keeps no job from running, whether it has these rules or not', async () => {
    await redis.set(base + key, 'text');
    await engine.enqueue([newJob('first'), newJob('ruled', { rules }), newJob('last')]);
    const started = work();
    await eventually(() => expect(started.toSorted()).toEqual(['first', 'last', 'ruled']));
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: 3, active: 0 }));
    const [first] = await engine.find([{ id: 'first' }]);
    expect(first).toMatchObject({ crashes: 0 });
    expect(await redis.type(`${base}${key}:broken`)).toBe('string');
  });
});

describe('a unique key of another type', () => {
  it('refuses no call, neither that one nor those beside it', async () => {
    await redis.rpush(`${base}unique:k`, 'text');
    const unique = { key: 'k', until: 'finished', onConflict: 'return' } as const;
    const calls = [engine.enqueue([newJob('plain')]), engine.enqueue([newJob('unique', { rules: { unique } })])];
    expect((await Promise.all(calls)).flat().map(({ deduplicated }) => deduplicated)).toEqual([false, false]);
    const started = work();
    await eventually(() => expect(started.toSorted()).toEqual(['plain', 'unique']));
  });
});

describe('an ended job whose time is no number', () => {
  it('breaks no read of the jobs beside it', async () => {
    await engine.enqueue([newJob('broken'), newJob('sound')]);
    work();
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: 2 }));
    await redis.hset(`${base}broken`, 'keptUntil', 'abc');
    expect(await engine.find([{ id: 'broken' }, { id: 'sound' }])).toMatchObject([undefined, { state: 'completed' }]);
  });
});
