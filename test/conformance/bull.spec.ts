import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { inject } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { describeEngine } from './describe-engine.js';

describeEngine('bull', async ({ queues, keepStopped }) => {
  const prefix = `conformance-${nanoid(8)}`;
  const engine = new BullEngine({
    redis: inject('redisUrl'),
    prefix,
    queues,
    keepStopped,
    lockDuration: 30_000,
    stalledInterval: 15_000,
    commandTimeout: 2_000,
  });
  return {
    engine,
    dispose: async () => {
      await engine.close();
      const redis = new Redis(inject('redisUrl'));
      const keys = await redis.keys(`${prefix}:*`);
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
    },
  };
});
