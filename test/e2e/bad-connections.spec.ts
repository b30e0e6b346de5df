import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Settlement } from '../../lib/contracts/engine.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { Proxy } from '../support/proxy.js';
import { freshPrefix } from '../support/redis.js';

const proxies: Proxy[] = [];
const engines: BullEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  for (const proxy of proxies.splice(0)) proxy.stop();
});

const OPTIONS = { queues: ['default'], lockDuration: 30_000, stalledInterval: 15_000, commandTimeout: 2_000 };

function create(prefix: string, redis: ConstructorParameters<typeof BullEngine>[0]['redis']): BullEngine {
  const engine = new BullEngine({ ...OPTIONS, prefix, redis });
  engines.push(engine);
  return engine;
}

function settlementOf(engine: BullEngine, id: string): Promise<Settlement> {
  return new Promise((resolve) => engine.watch({ id, queue: 'default' }, { settled: resolve }));
}

describe('a subscription that goes silent without a word', () => {
  it('is noticed, and its waiters get their results', async () => {
    const proxy = await Proxy.start(inject('redisUrl'));
    proxies.push(proxy);
    const prefix = freshPrefix();
    const waiting = create(prefix, {
      createClient: (role) => {
        const options = { maxRetriesPerRequest: null, enableReadyCheck: false };
        return role === 'subscriber' ? new Redis(proxy.port, options) : new Redis(inject('redisUrl'), options);
      },
    });
    await waiting.enqueue([newJob('first'), newJob('second')]);
    const first = settlementOf(waiting, 'first');
    const second = settlementOf(waiting, 'second');
    const channel = `${prefix}:default:completed`;
    const admin = new Redis(inject('redisUrl'));
    await eventually(async () => expect(await admin.pubsub('NUMSUB', channel)).toEqual([channel, 1]));
    // Long enough for the reply to the subscription and for the first look at the jobs.
    for (let trip = 0; trip < 20; trip++) await waiting.state({ id: 'first' });
    admin.disconnect();
    proxy.silence();
    const working = create(prefix, inject('redisUrl'));
    working.work('default', { concurrency: 1, worker: 'host:1' }, ({ id }) => ({
      outcome: Promise.resolve({ type: 'completed', result: `"${id}"`, keep: 60_000 }),
      abort: () => undefined,
    }));
    expect(await first).toEqual({ state: 'completed', result: '"first"' });
    expect(await second).toEqual({ state: 'completed', result: '"second"' });
  });
});

describe('an event loop that is blocked for longer than the deadline', () => {
  it('does not pass for an outage', async () => {
    const engine = create(freshPrefix(), inject('redisUrl'));
    await engine.enqueue([newJob('warm-up')]);
    const blocked = engine.enqueue([newJob('blocked')]);
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 2_300;
    while (performance.now() < until);
    expect(await blocked).toEqual([{ id: 'blocked', deduplicated: false }]);
  });
});

describe('a very long list of jobs', () => {
  it('is stored in one step', async () => {
    const engine = create(freshPrefix(), inject('redisUrl'));
    await engine.enqueue(Array.from({ length: 30_000 }, (_, index) => newJob(`job-${index}`)));
    expect((await engine.counts('default')).waiting).toBe(30_000);
  });
});

describe('a message that is none of ours', () => {
  it('touches no waiter', async () => {
    const prefix = freshPrefix();
    const engine = create(prefix, inject('redisUrl'));
    await engine.enqueue([newJob('watched')]);
    const settlement = settlementOf(engine, 'watched');
    const admin = new Redis(inject('redisUrl'));
    await eventually(async () => {
      expect(await admin.publish(`${prefix}:default:completed`, '{"jobId":"watched", broken')).toBeGreaterThan(0);
    });
    admin.disconnect();
    engine.work('default', { concurrency: 1, worker: 'host:1' }, () => ({
      outcome: Promise.resolve({ type: 'completed', result: '1', keep: 60_000 }),
      abort: () => undefined,
    }));
    expect(await settlement).toEqual({ state: 'completed', result: '1' });
  });
});
