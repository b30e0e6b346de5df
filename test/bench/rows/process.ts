import { setTimeout as sleep } from 'node:timers/promises';
import { Stopwatch } from '../clock.js';
import { chunks, inLanes } from '../lanes.js';
import type { Stage } from '../stage.js';
import type { JobData } from '../systems/system.js';
import { Tally } from '../tally.js';
import { CPU, RATE, type Row } from './row.js';

const IO_TIME = 10;

/** So many jobs that the fastest system takes about a second for them. */
export const processRows: Row[] = [
  noop(1, { jobs: 10_000, quickJobs: 500, celeryJobs: 5_000 }),
  noop(10, { jobs: 50_000, quickJobs: 1_000, celeryJobs: 8_000 }),
  { ...noop(50, { jobs: 120_000, quickJobs: 3_000 }), isQuickForAll: true },
  noop(200, { jobs: 120_000, quickJobs: 3_000 }),
  {
    ...noop(50, { jobs: 100_000, quickJobs: 1_000 }),
    name: 'noop-50-kept',
    title: 'no-op, concurrency 50, kept',
    settings: { keep: true },
  },
  {
    name: 'io-50',
    title: `${IO_TIME} ms of I/O, concurrency 50`,
    values: [RATE, CPU],
    jobs: 15_000,
    quickJobs: 1_000,
    celeryJobs: 8_000,
    settings: { ioTime: IO_TIME },
    measure: (stage) => measureWorker(stage, 50, stage.system.isOutside ? nothing : () => sleep(IO_TIME)),
  },
  payload('1 KB', 1_000, { jobs: 60_000, quickJobs: 500 }),
  payload('100 KB', 100_000, { jobs: 1_500, quickJobs: 300 }),
  {
    name: 'retries',
    title: 'one retry each, concurrency 50',
    values: [RATE, CPU],
    jobs: 20_000,
    quickJobs: 500,
    settings: { attempts: 2 },
    measure: measureRetries,
  },
];

async function nothing(): Promise<void> {}

function noop(concurrency: number, sizes: Pick<Row, 'jobs' | 'quickJobs' | 'celeryJobs'>): Row {
  return {
    name: `noop-${concurrency}`,
    title: `no-op, concurrency ${concurrency}`,
    ...sizes,
    values: [RATE, CPU],
    measure: (stage) => measureWorker(stage, concurrency, nothing),
  };
}

/** Works a full queue. The first fifth is not measured: it warms the compilers, and hides the start of the app. */
async function measureWorker(
  stage: Stage,
  concurrency: number,
  handler: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const { jobs } = stage;
  await fill(stage, (i) => ({ i }));
  const tally = new Tally(jobs);
  const warm = Math.floor(jobs / 5);
  await stage.work(concurrency, async ({ i }) => {
    await handler();
    tally.note(i);
    return i;
  });
  await tally.reached(warm);
  const watch = new Stopwatch();
  await tally.all();
  const { seconds, cpu } = watch;
  await stage.expectExact(tally);
  return { rate: (jobs - warm) / seconds, cpu: cpu / (jobs - warm) };
}

async function fill(stage: Stage, dataOf: (i: number) => JobData): Promise<void> {
  const producer = await stage.producer();
  for (const part of chunks(0, stage.jobs, 1_000)) await producer.addMany(part.map(dataOf));
}

function payload(size: string, bytes: number, sizes: Pick<Row, 'jobs' | 'quickJobs'>): Row {
  return {
    name: `payload-${size.toLowerCase().replace(' ', '')}`,
    title: `${size} of arguments`,
    ...sizes,
    values: [
      { ...RATE, name: 'enqueue', title: 'enqueue' },
      { ...RATE, name: 'process', title: 'work' },
    ],
    measure: (stage) => measurePayload(stage, 'x'.repeat(bytes)),
  };
}

async function measurePayload(stage: Stage, pad: string): Promise<Record<string, number>> {
  const { jobs } = stage;
  const producer = await stage.producer();
  const tally = new Tally(jobs);
  const warm = Math.floor(jobs / 5);
  await inLanes(100, 0, warm, (i) => producer.add({ i, pad }));
  const enqueueing = new Stopwatch();
  await inLanes(100, warm, jobs, (i) => producer.add({ i, pad }));
  const enqueue = (jobs - warm) / enqueueing.seconds;
  await stage.work(50, async (data) => {
    if (data.pad?.length !== pad.length) throw new Error('The arguments arrived cut.');
    tally.note(data.i);
  });
  await tally.reached(warm);
  const working = new Stopwatch();
  await tally.all();
  const process = (jobs - warm) / working.seconds;
  await stage.expectExact(tally);
  return { enqueue, process };
}

async function measureRetries(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  await fill(stage, (i) => ({ i }));
  const tally = new Tally(jobs, 2);
  const watch = new Stopwatch();
  await stage.work(50, async ({ i }) => {
    if (tally.note(i) === 1) throw new Error('The first run fails.');
  });
  await tally.all();
  const { seconds, cpu } = watch;
  await stage.expectExact(tally);
  return { rate: jobs / seconds, cpu: cpu / jobs };
}
