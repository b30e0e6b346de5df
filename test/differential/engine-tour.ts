import type { Redis, Cluster } from 'ioredis';
import { expect } from 'vitest';
import type { ActiveJob, NewJob, Settlement } from '../../lib/contracts/engine.js';
import type { JobAddress } from '../../lib/contracts/job.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import type { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { boom } from './stage.js';

export const TOUR_QUEUES = ['default', 'mail'] as const;
/** Short times, so that locks are renewed and dead workers are looked for during the tour. */
export const TOUR_TIMES = { lockDuration: 500, stalledInterval: 250, commandTimeout: 5_000 };

const KEEP = 60_000;

export const tourJob = (id: string, fields: Partial<NewJob> = {}): NewJob => ({
  id,
  queue: 'default',
  task: 'Mail.send',
  args: '[1]',
  options: {},
  enqueuedAt: Date.now(),
  ...fields,
});

export function settlementOf(engine: BullEngine, job: JobAddress): Promise<Settlement> {
  return new Promise((resolve) => engine.watch(job, { settled: resolve }));
}

type Answer = (job: ActiveJob) => Outcome | Promise<Outcome>;

/** What is answered to each job of the tour. */
const ANSWERS: Record<string, Answer> = {
  retried: ({ attemptsMade }) =>
    attemptsMade === 0 ? { type: 'retry', delay: 0, error: boom } : { type: 'completed', result: '2', keep: KEEP },
  later: ({ attemptsMade }) =>
    attemptsMade === 0 ? { type: 'retry', delay: 30, error: boom } : { type: 'completed', result: '2', keep: KEEP },
  forgotten: () => ({ type: 'completed', keep: 0 }),
  brief: () => ({ type: 'completed', keep: 1 }),
  doomed: () => ({ type: 'failed', error: boom, keep: { age: KEEP, count: 1 } }),
  'doomed-too': () => ({ type: 'failed', error: boom, keep: { age: KEEP, count: 1 } }),
};

export function workTour(engine: BullEngine, queue: string, answer: Answer = () => completed('1')): void {
  engine.work(queue, { concurrency: 5, worker: 'host:1' }, (job) => ({
    outcome: Promise.resolve((ANSWERS[job.id] ?? answer)(job)),
    abort: () => undefined,
  }));
}

export const completed = (result: string): Outcome => ({ type: 'completed', result, keep: KEEP });

/**
 * Uses an engine for all that it can do, plain Bull producers' jobs and dead workers included, and expects it to work.
 *
 * @param redis for what others do to the queue, as a user that may do everything
 */
export async function tour(engine: BullEngine, redis: Redis | Cluster, base: string): Promise<void> {
  // The first subscription is there before the first job can end: what is not kept is told to those who listen.
  for (const queue of TOUR_QUEUES)
    expect(await settlementOf(engine, { id: 'nobody', queue })).toEqual({ state: 'unknown' });

  // Two queues in one call; every kind of outcome.
  const jobs = [...Object.keys(ANSWERS), 'plain'].map((id) => tourJob(id, { metadata: { tenant: 'a' } }));
  const mail = tourJob('mail-1', { queue: 'mail' });
  const delayed = tourJob('timed', { dueAt: Date.now() + 50 });
  const answers = await engine.enqueue([...jobs, mail, delayed]);
  expect(answers.map(({ deduplicated }) => deduplicated)).toEqual(answers.map(() => false));
  expect(await engine.enqueue([tourJob('plain')])).toEqual([{ id: 'plain', deduplicated: true }]);
  expect((await engine.counts('default')).waiting).toBe(jobs.length);
  expect((await engine.find([{ id: 'timed' }]))[0]).toMatchObject({ state: 'delayed', queue: 'default' });

  const ended = [...jobs, mail, delayed].map((job) => settlementOf(engine, { id: job.id, queue: job.queue }));
  for (const queue of TOUR_QUEUES) workTour(engine, queue, (job) => slowIfLong(engine, job));
  expect((await Promise.all(ended)).map(({ state }) => state)).toEqual([
    'completed',
    'completed',
    'completed',
    'completed',
    'failed',
    'failed',
    'completed',
    'completed',
    'completed',
  ]);

  // Picked up by the blocking read; without its queue being named; with progress, log and a renewed lock.
  await engine.enqueue([tourJob('long', { queue: 'mail' })]);
  expect(await settlementOf(engine, { id: 'long' })).toEqual({ state: 'completed', result: '"done"' });
  const [long, unknown] = await engine.find([{ id: 'long' }, { id: 'nobody' }]);
  expect(long).toMatchObject({ queue: 'mail', progress: '50', logs: ['a line'], result: '"done"', crashes: 0 });
  expect(unknown).toBeUndefined();
  expect(await engine.state({ id: 'long' })).toBe('completed');

  // What a plain Bull producer left: a priority that holds for a retry, and a debounce key.
  await redis.hset(`${base}foreign`, { name: 'Mail.send', data: '1', opts: '{}', priority: '2', deid: 'topic' });
  await redis.set(`${base}de:topic`, 'foreign');
  await redis.zadd(`${base}priority`, 2, 'foreign');
  const foreign = settlementOf(engine, { id: 'foreign', queue: 'default' });
  await redis.lpush(`${base}wait`, 'foreign');
  expect(await foreign).toEqual({ state: 'completed', result: '"2nd"' });
  expect(await redis.exists(`${base}de:topic`, `${base}priority`)).toBe(0);

  // A worker that died: one with a run, one before it.
  for (const [id, worker] of [
    ['died', 'host:9'],
    ['popped', ''],
  ]) {
    await redis.hset(`${base}${id}`, { name: 'Mail.send', data: '1', opts: '{}', ...(worker && { worker }) });
    await redis.lpush(`${base}active`, id);
    expect(await settlementOf(engine, { id, queue: 'default' })).toMatchObject({ state: 'completed' });
  }
  expect(await engine.state({ id: 'brief' })).toBe('unknown');
  await eventually(async () =>
    expect(await engine.counts('default')).toMatchObject({ waiting: 0, delayed: 0, active: 0, failed: 1 }),
  );
}

async function slowIfLong(engine: BullEngine, job: ActiveJob): Promise<Outcome> {
  if (job.id === 'foreign' && job.attemptsMade === 0) return { type: 'retry', delay: 0, error: boom };
  if (job.id === 'foreign') return completed('"2nd"');
  if (job.id !== 'long') return completed('1');
  await engine.progress({ id: job.id }, '50');
  await engine.log({ id: job.id, queue: job.queue }, 'a line');
  // Long enough for its lock to be renewed twice: the job would be recovered otherwise.
  const since = Date.now();
  await eventually(() => expect(Date.now() - since).toBeGreaterThan(TOUR_TIMES.lockDuration * 1.2));
  return completed('"done"');
}
