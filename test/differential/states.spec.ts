import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { beforeEach, describe, it } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { playModel, steps } from '../conformance/model.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

beforeEach(() => Logger.overrideLogger(false));

describe('the states of jobs on the Bull engine', () => {
  it('follow the model through any sequence of steps', async () => {
    const times = { lockDuration: 30_000, stalledInterval: 15_000, commandTimeout: 2_000 };
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const queues = ['default'];
        const engine = new BullEngine({ redis: redisUrl(), prefix: freshPrefix(), queues, ...times });
        try {
          await playModel(engine, sequence);
        } finally {
          await engine.close();
        }
      }),
      { numRuns: 100, interruptAfterTimeLimit: 20_000 },
    );
  }, 60_000);
});
