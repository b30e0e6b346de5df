import { Stopwatch } from '../clock.js';
import { chunks } from '../lanes.js';
import type { Stage } from '../stage.js';
import type { Producer } from '../systems/system.js';
import { Tally } from '../tally.js';
import { RATE, type Row, type ValueSpec } from './row.js';

const SMALL = 1_000;
const SAMPLE = 1_000;
const STEPS = 300;
const WARM_ROUNDS = 3;

export const growthRows: Row[] = [
  {
    name: 'backlog',
    title: '100,000 waiting ÷ 1,000 waiting',
    values: ['enqueue', 'work', 'count'].map(flatness),
    jobs: 100_000,
    quickJobs: 5_000,
    measure: measureBacklog,
  },
  {
    name: 'listing',
    title: '100,000 waiting ÷ 1,000 waiting',
    values: [flatness('list')],
    jobs: 100_000,
    quickJobs: 5_000,
    systems: ['ours', 'bull', 'bullmq'],
    measure: async (stage) => {
      const [list] = await growth(stage, SMALL, [stage.jobs], (producer) => producer.list!());
      return { list };
    },
  },
  {
    name: 'priority',
    title: 'enqueue with priority, beside none waiting',
    values: [
      { ...flatness('hundredth'), title: 'with 1,000' },
      { ...flatness('tenth'), title: 'with 10,000' },
      { ...flatness('full'), title: 'with 100,000' },
    ],
    jobs: 100_000,
    quickJobs: 5_000,
    systems: ['ours', 'bull', 'bullmq'],
    measure: async (stage) => {
      const sizes = [stage.jobs / 100, stage.jobs / 10, stage.jobs];
      const [hundredth, tenth, full] = await growth(stage, 0, sizes, (producer, i) => producer.addFirst!({ i }));
      return { hundredth, tenth, full };
    },
  },
  {
    name: 'memory',
    title: 'worker after 1,000,000 jobs',
    values: [
      { name: 'rss', title: 'RSS', unit: 'MB', better: 'lower' },
      { name: 'heap', title: 'heap', unit: 'MB', better: 'lower' },
      { name: 'growth', title: 'heap growth since a tenth', unit: 'MB', better: 'lower' },
      { ...RATE, title: 'enqueue + work' },
    ],
    jobs: 1_000_000,
    quickJobs: 50_000,
    mostRuns: 1,
    timeout: 900,
    flags: ['--expose-gc'],
    measure: measureMemory,
  },
];

function flatness(name: string): ValueSpec {
  return { name, title: name, unit: '×', better: 'lower' };
}

interface Costs {
  enqueue: number;
  work: number;
  count: number;
}

/** Both sizes in one process. The small one is measured before and after the full one, since code gets faster with use. */
async function measureBacklog(stage: Stage): Promise<Record<string, number>> {
  const sizes = [...Array.from({ length: WARM_ROUNDS }, () => SMALL), SMALL, stage.jobs, SMALL];
  const tally = new Tally(sizes.reduce((sum, size) => sum + size + SAMPLE, 0));
  const costs: Costs[] = [];
  let sent = 0;
  for (const size of sizes) {
    costs.push(await costsAt(stage, tally, sent, size));
    sent += size + SAMPLE;
  }
  await stage.expectExact(tally);
  const [before, full, after] = costs.slice(WARM_ROUNDS);
  const ratio = (what: keyof Costs): number => full[what] / ((before[what] + after[what]) / 2);
  return { enqueue: ratio('enqueue'), work: ratio('work'), count: ratio('count') };
}

/** In s per job, each step done one at a time while the backlog stands at `size`. */
async function costsAt(stage: Stage, tally: Tally, from: number, size: number): Promise<Costs> {
  const producer = await stage.producer();
  for (const part of chunks(from, from + size, 1_000)) await producer.addMany(part.map((i) => ({ i })));
  const enqueueing = new Stopwatch();
  for (let i = from + size; i < from + size + SAMPLE; i++) await producer.add({ i });
  const enqueue = enqueueing.seconds / SAMPLE;
  const counting = new Stopwatch();
  for (let i = 0; i < SAMPLE; i++) await producer.counts();
  const count = counting.seconds / SAMPLE;
  const worker = await stage.work(10, async ({ i }) => void tally.note(i));
  await tally.reached(from + 200);
  const working = new Stopwatch();
  await tally.reached(from + 200 + SAMPLE);
  const work = working.seconds / SAMPLE;
  await tally.reached(from + size + SAMPLE);
  await worker.close();
  return { enqueue, work, count };
}

/** What a step costs beside so many waiting jobs, divided by what it costs beside a few. */
async function growth(
  stage: Stage,
  few: number,
  sizes: readonly number[],
  step: (producer: Producer, i: number) => Promise<unknown>,
): Promise<number[]> {
  const producer = await stage.producer();
  let filled = 0;
  const fill = async (size: number): Promise<void> => {
    for (const part of chunks(filled, size, 1_000)) await producer.addMany(part.map((i) => ({ i })));
    filled = size;
  };
  let steps = stage.jobs;
  const cost = async (): Promise<number> => {
    const watch = new Stopwatch();
    for (const last = steps + STEPS; steps < last; steps++) await step(producer, steps);
    return watch.seconds;
  };
  await fill(few);
  for (let round = 0; round < WARM_ROUNDS; round++) await cost();
  const before = await cost();
  const growths: number[] = [];
  for (const size of sizes) {
    await fill(size);
    growths.push((await cost()) / before);
  }
  return growths;
}

/** Enqueues in step with the worker, so that the queue stays short and what is kept is the worker's own. */
async function measureMemory(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const tally = new Tally(jobs);
  const producer = await stage.producer();
  await stage.work(50, async ({ i }) => void tally.note(i));
  const watch = new Stopwatch();
  let early = 0;
  for (const part of chunks(0, jobs, 1_000)) {
    await producer.addMany(part.map((i) => ({ i })));
    await tally.reached(Math.max(0, part[0] - 2_000));
    if (part[0] === jobs / 10) early = heap();
  }
  await tally.all();
  const rate = jobs / watch.seconds;
  await stage.expectExact(tally);
  const { rss } = process.memoryUsage();
  const late = heap();
  return { rss: rss / 1e6, heap: late, growth: late - early, rate };
}

/** In MB, after everything that nobody holds is gone. */
function heap(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed / 1e6;
}
