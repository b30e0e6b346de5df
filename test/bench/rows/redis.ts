import { chunks, inLanes } from '../lanes.js';
import type { Stage } from '../stage.js';
import { Tally } from '../tally.js';
import type { Row } from './row.js';

const PAD = 'x'.repeat(85);

export const redisRows: Row[] = [
  {
    name: 'redis-cpu',
    title: 'Redis CPU per job',
    values: [
      { name: 'both', title: 'add + process', unit: 'µs', better: 'lower' },
      { name: 'add', title: 'add', unit: 'µs', better: 'lower' },
      { name: 'process', title: 'process', unit: 'µs', better: 'lower' },
    ],
    jobs: 20_000,
    quickJobs: 1_000,
    measure: measureCpu,
  },
  {
    name: 'redis-memory',
    title: 'Redis memory per waiting job',
    values: [{ name: 'bytes', title: '', unit: 'B', better: 'lower' }],
    jobs: 20_000,
    quickJobs: 2_000,
    measure: measureMemory,
  },
];

async function measureCpu(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const producer = await stage.producer();
  // Scripts are loaded, and connections made, by a few jobs more.
  const warm = 100;
  const tally = new Tally(jobs + warm);
  await inLanes(100, 0, warm, (i) => producer.add({ i }));
  const atStart = await stage.redisCpu();
  await inLanes(100, warm, warm + jobs, (i) => producer.add({ i }));
  const atHalf = await stage.redisCpu();
  await stage.work(50, async ({ i }) => void tally.note(i));
  await tally.all();
  const atEnd = await stage.redisCpu();
  await stage.expectExact(tally);
  const add = (atHalf - atStart) / jobs;
  const process = (atEnd - atHalf) / jobs;
  return { both: add + process, add, process };
}

async function measureMemory(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const producer = await stage.producer();
  await producer.addMany([{ i: 0, pad: PAD }]);
  const before = await stage.redisMemory();
  for (const part of chunks(1, jobs + 1, 1_000)) await producer.addMany(part.map((i) => ({ i, pad: PAD })));
  const bytes = ((await stage.redisMemory()) - before) / jobs;
  await stage.drain(new Tally(jobs + 1));
  return { bytes };
}
