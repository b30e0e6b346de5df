import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../clock.js';
import { inLanes } from '../lanes.js';
import type { Stage } from '../stage.js';
import { Tally } from '../tally.js';
import { latency, type Row } from './row.js';

const OPEN_LOOP_RATE = 2_000;
const ROUND_TRIPS_IN_FLIGHT = 20;

export const latencyRows: Row[] = [
  {
    name: 'pickup-idle',
    title: 'pick-up on an idle worker',
    values: [latency('p50'), latency('p99')],
    jobs: 9_000,
    quickJobs: 90,
    measure: measureIdlePickUp,
  },
  {
    name: 'pickup-load',
    title: `pick-up at ${OPEN_LOOP_RATE.toLocaleString('en')} jobs/s`,
    values: [latency('p50'), latency('p99')],
    jobs: 12_000,
    quickJobs: 1_000,
    measure: measurePickUpUnderLoad,
  },
  {
    name: 'round-trip',
    title: `round trip, ${ROUND_TRIPS_IN_FLIGHT} in flight`,
    values: [latency('p50'), latency('p99'), latency('max')],
    jobs: 10_000,
    quickJobs: 500,
    // A result that is waited for has to be there when it is asked for, so this row keeps on every side.
    settings: { keep: true, events: true },
    measure: measureRoundTrip,
  },
  {
    name: 'delayed',
    title: 'delayed jobs, late by',
    values: [latency('p50'), latency('p99')],
    jobs: 1_000,
    quickJobs: 100,
    measure: measureDelayed,
  },
];

/**
 * One job at a time, each after the worker has gone idle again. The first eight of nine follow at once, and do not count:
 * meanwhile the compiler of a new process takes a processor now and then, for some 4 ms where there are two of them.
 */
async function measureIdlePickUp(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const tally = new Tally(jobs);
  const warm = Math.floor((jobs / 9) * 8);
  const delays: number[] = [];
  let sentAt = 0;
  const producer = await stage.producer();
  await stage.work(10, async ({ i }) => {
    if (i >= warm) delays.push(performance.now() - sentAt);
    tally.note(i);
  });
  await sleep(300);
  for (let i = 0; i < jobs; i++) {
    const started = tally.reached(i + 1);
    sentAt = performance.now();
    await producer.add({ i });
    await started;
    if (i >= warm) await sleep(3 + (i % 5));
  }
  await stage.expectExact(tally);
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

/** Jobs come when they are due, whether or not earlier ones have started; each delay counts from the due instant. */
async function measurePickUpUnderLoad(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const tally = new Tally(jobs);
  const warm = Math.floor(jobs / 5);
  const delays: number[] = [];
  const due = new Float64Array(jobs);
  const producer = await stage.producer();
  await stage.work(50, async ({ i }) => {
    if (i >= warm) delays.push(performance.now() - due[i]);
    tally.note(i);
  });
  await sleep(300);
  const startedAt = performance.now();
  const sent: Promise<unknown>[] = [];
  while (sent.length < jobs) {
    await sleep(1);
    const elapsed = performance.now() - startedAt;
    while (sent.length < jobs && sent.length * (1_000 / OPEN_LOOP_RATE) <= elapsed) {
      const i = sent.length;
      due[i] = startedAt + i * (1_000 / OPEN_LOOP_RATE);
      sent.push(producer.add({ i }));
    }
  }
  await Promise.all(sent);
  await tally.all();
  await stage.expectExact(tally);
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

async function measureRoundTrip(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const warm = Math.min(1_000, Math.floor(jobs / 5));
  const tally = new Tally(warm + jobs);
  const times: number[] = [];
  const producer = await stage.producer();
  await stage.work(50, async ({ i }) => {
    tally.note(i);
    return { answer: i };
  });
  const call = async (i: number): Promise<void> => {
    const sentAt = performance.now();
    const result = (await producer.call({ i })) as { answer: number };
    if (i >= warm) times.push(performance.now() - sentAt);
    if (result.answer !== i) throw new Error(`Job ${i} was answered with ${JSON.stringify(result)}.`);
  };
  await inLanes(ROUND_TRIPS_IN_FLIGHT, 0, warm, call);
  await inLanes(ROUND_TRIPS_IN_FLIGHT, warm, warm + jobs, call);
  await stage.expectExact(tally);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) };
}

async function measureDelayed(stage: Stage): Promise<Record<string, number>> {
  const { jobs } = stage;
  const tally = new Tally(jobs);
  const late: number[] = [];
  const due = new Float64Array(jobs);
  const producer = await stage.producer();
  await stage.work(50, async ({ i }) => {
    late.push(performance.now() - due[i]);
    tally.note(i);
  });
  await sleep(300);
  await inLanes(50, 0, jobs, (i) => {
    // Spread by a prime, so that neighbours in the queue are not enqueued one after another.
    const delay = 1_000 + ((i * 7_919) % jobs) * 2;
    due[i] = performance.now() + delay;
    return producer.add({ i }, delay);
  });
  await tally.all();
  await stage.expectExact(tally);
  return { p50: quantile(late, 0.5), p99: quantile(late, 0.99) };
}
