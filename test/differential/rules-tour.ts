import type { Cluster, Redis } from 'ioredis';
import { expect } from 'vitest';
import type { ActiveRun, NewJob } from '../../lib/contracts/engine.js';
import { DuplicateJobError, InvalidOptionsError } from '../../lib/contracts/errors.js';
import type { JobRules } from '../../lib/contracts/job.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import type { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';

const DONE: Outcome = { type: 'completed', result: '1', keep: 60_000 };

const ruled = (id: string, rules: JobRules, fields: Partial<NewJob> = {}): NewJob => newJob(id, { rules, ...fields });

/** Uses an engine for all that rules can ask of it, and expects it to work. The queues are not worked before. */
export async function tourOfRules(engine: BullEngine, redis: Redis | Cluster, base: string): Promise<void> {
  const unique = { key: 'k', until: 'finished' } as const;
  await engine.enqueue([ruled('first', { unique: { ...unique, onConflict: 'return' } })]);
  const [twin] = await engine.enqueue([ruled('second', { unique: { ...unique, onConflict: 'return' } })]);
  expect(twin).toEqual({ id: 'first', deduplicated: true });
  const refused = engine.enqueue([ruled('third', { unique: { ...unique, onConflict: 'reject' } })]);
  await expect(refused).rejects.toThrow(DuplicateJobError);
  await engine.enqueue([ruled('fourth', { unique: { ...unique, until: 60_000, onConflict: 'replace' } })]);
  expect(await engine.state({ id: 'first' })).toBe('cancelled');

  // An id that still stands in a list, once more.
  await engine.remove([{ id: 'first', queue: 'default' }]);
  await engine.enqueue([newJob('first')]);

  await engine.enqueue([
    ruled('lowly', { priority: 'low' }),
    ruled('urgent', { priority: 'high', tags: ['customer-1'] }),
    ruled('brief', { expiresAt: Date.now() + 20 }),
    ...['a', 'b', 'c'].map((id) => ruled(`slot-${id}`, { concurrency: { key: 'k', max: 1 } })),
    ...['a', 'b', 'c', 'd'].map((id) => ruled(`rate-${id}`, { rate: { key: 'k', max: 1, per: 60 } })),
    ruled('stopped', { concurrency: { key: 'k', max: 1 }, rate: { key: 'k', max: 1, per: 60 } }),
    newJob('running'),
  ]);
  expect((await engine.list({ queue: 'default', tag: 'customer-1', limit: 10 })).jobs).toHaveLength(1);
  expect((await engine.list({ queue: 'default', state: 'waiting', limit: 3 })).jobs[0].id).toBe('urgent');
  await eventually(async () => expect(await engine.state({ id: 'brief' })).toBe('expired'));
  expect(await engine.counts('default')).toMatchObject({ expired: 1, cancelled: 0 });

  const started: string[] = [];
  engine.work('default', { concurrency: 5, worker: 'host:1' }, (job): ActiveRun => {
    started.push(job.id);
    if (job.id !== 'running') return { outcome: Promise.resolve(DONE), abort: () => undefined };
    let end: (outcome: Outcome) => void;
    const outcome = new Promise<Outcome>((resolve) => (end = resolve));
    return { outcome, abort: () => end(DONE) };
  });
  await eventually(() => expect(started).toContain('running'));
  expect(await engine.cancel([{ id: 'running', queue: 'default' }, { id: 'stopped' }, { id: 'nobody' }])).toContain(
    true,
  );
  await eventually(async () => {
    const { waiting, active, delayed } = await engine.counts('default');
    expect({ waiting, active, delayed }).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });
  expect((await engine.list({ queue: 'default', state: 'cancelled', limit: 10 })).jobs.length).toBeGreaterThan(0);
  expect(await engine.retry([{ id: 'brief', queue: 'default' }])).toEqual([true]);
  await eventually(async () => expect(await engine.state({ id: 'brief' })).toBe('completed'));

  // What tools leave when they remove jobs is cleared by the next look for dead workers.
  await redis.sadd(`${base}limits`, 'k');
  await redis.sadd(`${base}slots:k`, 'nobody');
  await redis.zadd(`${base}parked`, 1, 'nobody');
  await eventually(async () => expect(await redis.exists(`${base}slots:k`, `${base}parked`)).toBe(0));

  await engine.pause('default', 'cluster');
  await engine.enqueue([ruled('moved', { priority: 'high' })]);
  const moving = engine.move([{ id: 'moved', queue: 'default' }], 'mail');
  if (redis.isCluster) await expect(moving).rejects.toThrow(InvalidOptionsError);
  else expect(await moving).toEqual([true]);
  await engine.resume('default', 'cluster');
}
