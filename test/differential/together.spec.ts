import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

const DONE: Outcome = { type: 'completed', keep: 0 };
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const redis = new Redis(redisUrl());
const ends = new Map<string, (outcome: Outcome) => void>();
let engine: BullEngine;
let base: string;

// Lost locks are part of it.
beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  const prefix = freshPrefix();
  base = `${prefix}:default:`;
  const times = { lockDuration: 30_000, stalledInterval: 15_000, commandTimeout: 2_000 };
  engine = new BullEngine({ redis: redisUrl(), prefix, queues: ['default'], ...times });
  await engine.enqueue(IDS.map((id) => newJob(id)));
  engine.work('default', { concurrency: IDS.length, worker: 'host:1' }, ({ id }) => ({
    outcome: new Promise<Outcome>((resolve) => ends.set(id, resolve)),
    abort: () => ends.get(id)?.(DONE),
  }));
  await eventually(() => expect([...ends.keys()]).toEqual(IDS));
});

afterEach(async () => {
  for (const end of ends.values()) end(DONE);
  ends.clear();
  await engine.close();
});

afterAll(() => redis.disconnect());

function endTogether(...ids: string[]): void {
  for (const id of ids) ends.get(id)!(DONE);
}

async function active(): Promise<string[]> {
  return redis.lrange(`${base}active`, 0, -1);
}

describe('runs that end together', () => {
  it('leave the active list, where the others stay in their order', async () => {
    endTogether('b', 'd', 'e', 'h');
    await eventually(async () => expect(await active()).toEqual(['g', 'f', 'c', 'a']));
    endTogether('a', 'c', 'f');
    await eventually(async () => expect(await active()).toEqual(['g']));
  });

  it('leave it all at once', async () => {
    endTogether(...IDS);
    await eventually(async () => expect(await redis.keys(`${base}[a-h]*`)).toEqual([]));
    expect(await active()).toEqual([]);
  });

  it('are written but for those whose lock is another’s, and for those that stand in no list', async () => {
    await redis.set(`${base}b:lock`, 'another');
    await redis.lrem(`${base}active`, 1, 'c');
    endTogether('a', 'b', 'c', 'd');
    await eventually(async () => expect(await active()).toEqual(['h', 'g', 'f', 'e', 'b']));
    expect(await redis.get(`${base}b:lock`)).toBe('another');
    expect(await redis.exists(`${base}a`, `${base}d`, `${base}a:lock`, `${base}c:lock`)).toBe(0);
    expect(await redis.exists(`${base}b`, `${base}c`)).toBe(2);
  });

  it('are written though one of them cannot be', async () => {
    await redis.set(`${base}completed`, 'of another type than it should be');
    ends.get('b')!({ type: 'completed', keep: 60_000 });
    endTogether('a', 'c', 'd');
    await eventually(async () => expect(await redis.exists(`${base}a`, `${base}c`, `${base}d`)).toBe(0));
    expect(await active()).toEqual(['h', 'g', 'f', 'e']);
  });
});
