import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { TasksError } from '../../lib/contracts/errors.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

const DONE: Outcome = { type: 'completed', keep: 60_000 };

it('a worker hears of a cancel at once, also when nobody has waited for a result for a while', async () => {
  const prefix = freshPrefix();
  const base = `${prefix}:default:`;
  const redis = new Redis(redisUrl());
  const times = { lockDuration: 30_000, stalledInterval: 15_000, commandTimeout: 2_000 };
  const engine = new BullEngine({ redis: redisUrl(), prefix, queues: ['default'], ...times });
  const listeners = async (channel: string) => Number((await redis.pubsub('NUMSUB', base + channel))[1]);
  try {
    let reason: TasksError | undefined;
    let end: ((outcome: Outcome) => void) | undefined;
    engine.work('default', { concurrency: 2, worker: 'host:1' }, (job) => {
      const abort = (why: TasksError) => ((reason = why), end?.(DONE));
      const outcome = job.id === 'long' ? new Promise<Outcome>((resolve) => (end = resolve)) : Promise.resolve(DONE);
      return { outcome, abort };
    });
    await engine.enqueue([newJob('long'), newJob('short')]);
    await new Promise((settled) => engine.watch({ id: 'short', queue: 'default' }, { settled }));
    expect(await listeners('completed')).toBe(1);
    await eventually(async () => expect(await listeners('completed')).toBe(0), { timeout: 18_000 });
    expect(await listeners('cancelled')).toBe(1);
    const since = Date.now();
    expect(await engine.cancel([{ id: 'long', queue: 'default' }])).toEqual([true]);
    await eventually(() => expect(reason).toMatchObject({ code: 'TASKS_TASK_CANCELLED' }));
    expect(Date.now() - since).toBeLessThan(1_000);
  } finally {
    await engine.close();
    redis.disconnect();
  }
}, 30_000);
