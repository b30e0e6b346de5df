import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { ActiveRun } from '../../lib/contracts/engine.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix } from '../support/redis.js';

type Command = (...args: unknown[]) => Promise<unknown>;

/** The connection is cut after the server has carried out the command and before its reply arrives. */
function loseReplies(client: Redis, command: string, count: number): () => number {
  const commands = client as unknown as Record<string, Command>;
  const original = commands[command].bind(client);
  let lost = 0;
  commands[command] = async (...args) => {
    const reply = await original(...args);
    if (lost === count) return reply;
    lost++;
    throw new Error('Connection is closed.');
  };
  return () => lost;
}

describe('a lost reply', () => {
  let engine: BullEngine;
  let client: Redis;

  afterEach(() => engine.close());

  function createEngine(): void {
    engine = new BullEngine({
      redis: {
        createClient: (role) => {
          const created = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null, enableReadyCheck: false });
          if (role === 'client') client = created;
          return created;
        },
      },
      prefix: freshPrefix(),
      queues: ['default'],
      lockDuration: 60_000,
      stalledInterval: 60_000,
      commandTimeout: 2_000,
    });
  }

  const run = (outcome: Outcome): ActiveRun => ({ outcome: Promise.resolve(outcome), abort: () => undefined });

  it('costs no job that was taken: the worker runs it at once, without a crash on its record', async () => {
    createEngine();
    await engine.enqueue([newJob('1'), newJob('2'), newJob('3')]);
    const lost = loseReplies(client, 'tasks:turn', 1);
    const crashes: number[] = [];
    engine.work('default', { concurrency: 3, worker: 'host:1' }, (active) => {
      crashes.push(active.crashes);
      return run({ type: 'completed', keep: 60_000 });
    });
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: 3, active: 0 }));
    expect(lost()).toBe(1);
    expect(crashes).toEqual([0, 0, 0]);
  });

  it('costs no outcome, and writes none twice', async () => {
    createEngine();
    let runs = 0;
    await engine.enqueue([newJob('1')]);
    engine.work('default', { concurrency: 1, worker: 'host:1' }, () => {
      const lost = runs++ === 0 ? loseReplies(client, 'tasks:turn', 2) : undefined;
      expect(lost?.() ?? 0).toBe(0);
      return run(
        runs < 3
          ? { type: 'retry', delay: 0, error: { name: 'Error', message: 'again' } }
          : { type: 'completed', keep: 60_000 },
      );
    });
    await eventually(async () => expect(await engine.state({ id: '1' })).toBe('completed'));
    const [record] = await engine.find([{ id: '1' }]);
    expect(record).toMatchObject({ attemptsMade: 2, crashes: 0 });
    expect(record?.runs.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'completed'],
    ]);
    expect(runs).toBe(3);
  });

  it('of enqueue tells that the job may be stored', async () => {
    createEngine();
    await engine.enqueue([newJob('first')]);
    loseReplies(client, 'tasks:addJobs', 1);
    await expect(engine.enqueue([newJob('second')])).rejects.toMatchObject({ sent: true, jobId: 'second' });
    expect(await engine.state({ id: 'second' })).toBe('waiting');
  });
});
