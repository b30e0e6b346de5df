import { QUEUES, type Stage } from '../harness/stage.js';
import { ACKNOWLEDGED, LOST, NEVER, REPEATED, type Figure } from '../judge/figures.js';
import { judgeTally } from '../judge/tally.js';
import type { Scenario } from './scenario.js';

const jobsOf = (stage: Stage): number => stage.size(1_000_000, 20_000);

/** Until then code is compiled, and buffers grow to their size. */
const WARM_UP = 0.1;

/** What may be more afterwards, in MB: flat, but for what a garbage collector and an allocator leave. */
const FLAT = 5;

/** In jobs per second, on whatever machine: a loop that stands still is noticed. */
const SLOWEST = 1_000;

export const many: Scenario = {
  name: 'many',
  title: (stage) => `${jobsOf(stage).toLocaleString('en')} jobs, nothing kept of them`,
  run: async (stage) => {
    const jobs = jobsOf(stage);
    const options = { queues: Object.fromEntries(QUEUES.map((queue) => [queue, { concurrency: 50 }])) };
    const producer = await stage.producer(options);
    const worker = await stage.worker(options);
    const measure = async (): Promise<Sizes> => ({
      worker: (await worker.ask('heap')) / 1e6,
      producer: (await producer.ask('heap')) / 1e6,
      redis: (await memoryOf(stage)) / 1e6,
      keys: (await stage.keys()).length,
    });

    const warmUp = jobs * WARM_UP;
    await producer.ask('flood', 0, warmUp);
    await stage.settle();
    const before = await measure();
    const startedAt = Date.now();
    await producer.ask('flood', warmUp, jobs);
    await stage.settle();
    const seconds = (Date.now() - startedAt) / 1_000;
    const after = await measure();

    const { lost, repeated } = judgeTally(stage.tally(jobs));
    return [
      { name: ACKNOWLEDGED, value: jobs, unit: '' },
      { name: LOST, value: lost, unit: '', promise: NEVER },
      { name: REPEATED, value: repeated, unit: '', promise: NEVER },
      { name: 'enqueued and worked', value: (jobs - warmUp) / seconds, unit: 'jobs/s', promise: { least: SLOWEST } },
      growth('heap of the worker', after.worker - before.worker, before.worker),
      growth('heap of the producer', after.producer - before.producer, before.producer),
      growth('memory of Redis', after.redis - before.redis, before.redis),
      {
        name: 'keys in Redis more than after a tenth',
        value: after.keys - before.keys,
        unit: '',
        promise: NEVER,
        summary: 'more keys in Redis',
      },
    ];
  },
};

interface Sizes {
  worker: number;
  producer: number;
  redis: number;
  keys: number;
}

function growth(name: string, value: number, before: number): Figure {
  return {
    name: `${name}, grown since a tenth, when it was ${before.toFixed(0)} MB`,
    value,
    unit: 'MB',
    promise: { most: FLAT },
    summary: `${name} grew by`,
  };
}

async function memoryOf(stage: Stage): Promise<number> {
  const client = stage.redis.connect();
  await client.memory('PURGE' as 'DOCTOR');
  const [, used] = /used_memory:(\d+)/.exec(await client.info('memory'))!;
  client.disconnect();
  return Number(used);
}
