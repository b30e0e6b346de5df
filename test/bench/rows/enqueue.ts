import { Stopwatch } from '../clock.js';
import { chunks, inLanes } from '../lanes.js';
import type { Stage } from '../stage.js';
import type { Producer } from '../systems/system.js';
import { Tally } from '../tally.js';
import { CPU, RATE, type Row } from './row.js';

const LANES = 100;
const BULK = 1_000;

type Enqueue = (producer: Producer, from: number, to: number) => Promise<void>;

const sequentially: Enqueue = async (producer, from, to) => {
  if (producer.addInTurn) await producer.addInTurn(Array.from({ length: to - from }, (_, index) => from + index));
  else for (let i = from; i < to; i++) await producer.add({ i });
};

const inParallel: Enqueue = (producer, from, to) => inLanes(LANES, from, to, (i) => producer.add({ i }));

const inBulk: Enqueue = async (producer, from, to) => {
  for (const part of chunks(from, to, BULK)) await producer.addMany(part.map((i) => ({ i })));
};

export const enqueueRows: Row[] = [
  row(
    { name: 'enqueue-sequential', title: 'enqueue, one by one', jobs: 5_000, quickJobs: 300, celeryJobs: 3_000 },
    sequentially,
  ),
  row(
    {
      name: 'enqueue-parallel',
      title: `enqueue, ${LANES} in parallel`,
      jobs: 150_000,
      quickJobs: 2_000,
      isQuickForAll: true,
    },
    inParallel,
  ),
  row(
    { name: 'enqueue-bulk', title: `enqueue, ${BULK} per call`, jobs: 200_000, quickJobs: 3_000, celeryJobs: 10_000 },
    inBulk,
  ),
];

function row(experiment: Omit<Row, 'values' | 'measure'>, enqueue: Enqueue): Row {
  return { ...experiment, values: [RATE, CPU], measure: (stage) => measure(stage, enqueue) };
}

/** A fifth of the jobs goes first, unmeasured, so that compilers and connections are warm. */
async function measure(stage: Stage, enqueue: Enqueue): Promise<Record<string, number>> {
  const { jobs } = stage;
  const warm = Math.floor(jobs / 5);
  const producer = await stage.producer();
  await enqueue(producer, 0, warm);
  const watch = new Stopwatch();
  await enqueue(producer, warm, jobs);
  const { seconds, cpu } = watch;
  const { waiting } = await producer.counts();
  if (waiting !== jobs) throw new Error(`Delivery is not exact: ${jobs} jobs were enqueued, ${waiting} wait.`);
  await stage.drain(new Tally(jobs));
  return { rate: (jobs - warm) / seconds, cpu: cpu / (jobs - warm) };
}
