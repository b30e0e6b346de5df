import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { ActiveRun, NewJob } from '../../lib/contracts/engine.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { freshPrefix } from '../support/redis.js';

type Command = (...args: unknown[]) => Promise<unknown>;

const COMPLETED: Outcome = { type: 'completed', keep: 60_000 };
const TAGGED: Partial<NewJob> = { rules: { tags: ['x'] } };

/** Puts something in place of a command of a client; answers the original. */
function replace(client: Redis, name: string, create: (original: Command) => Command): void {
  const commands = client as unknown as Record<string, Command>;
  commands[name] = create(commands[name].bind(client));
}

interface HeldAnswers {
  /** Of the answer that is held at present. */
  release?: () => void;
}

/** A command whose first answer that brings something is lost. */
function lose(original: Command): Command {
  let lost = 0;
  return async (...args) => {
    const reply = await original(...args);
    if (reply === null || lost++ > 0) return reply;
    throw new Error('Connection is closed.');
  };
}

describe('an idle worker', () => {
  let engine: BullEngine;
  let admin: Redis;
  let prefix: string;
  let base: string;
  let clients: Record<string, Redis>;
  let started: { id: string; crashes: number }[];
  let finish: (outcome: Outcome) => void;

  beforeEach(() => {
    prefix = freshPrefix();
    base = `${prefix}:default:`;
    admin = new Redis(inject('redisUrl'));
    started = [];
    finish = () => undefined;
    engine = createEngine();
  });

  function createEngine(lockDuration = 60_000): BullEngine {
    clients = {};
    return new BullEngine({
      redis: {
        createClient: (role) =>
          (clients[role] = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null, enableReadyCheck: false })),
      },
      prefix,
      queues: ['default'],
      lockDuration,
      stalledInterval: 60_000,
      commandTimeout: 2_000,
    });
  }

  afterEach(async () => {
    finish(COMPLETED);
    await engine.close();
    admin.disconnect();
  });

  /** Runs jobs, which end when `finish` is called. */
  function work(abort: () => void = () => undefined): void {
    const outcome = new Promise<Outcome>((resolve) => (finish = resolve));
    engine.work('default', { concurrency: 5, worker: 'host:1' }, ({ id, crashes }): ActiveRun => {
      started.push({ id, crashes });
      return { outcome, abort };
    });
  }

  /** Runs jobs that end at once. */
  function workAtOnce(): void {
    work();
    finish(COMPLETED);
  }

  /** Puts something in place of a command of the reads to come; one job goes through the present one. */
  async function replaceInReads(name: string, create: (original: Command) => Command): Promise<void> {
    await untilIdle();
    replace(clients.bclient, name, create);
    await engine.enqueue([newJob('first')]);
    await eventually(() => expect(started).toHaveLength(1));
    await untilIdle();
  }

  /** The answer to a read that brings a job waits until the answered function is called. */
  async function holdAnswers(): Promise<HeldAnswers> {
    const held: HeldAnswers = {};
    await replaceInReads('tasks:arrive', (original) => async (...args) => {
      const reply = await original(...args);
      if (reply !== null) await new Promise<void>((resolve) => (held.release = resolve));
      return reply;
    });
    return held;
  }

  /** Lets the held answer come, and resolves when the job after it has started. */
  async function releaseAndRun(held: HeldAnswers, next: string): Promise<void> {
    held.release!();
    held.release = undefined;
    await engine.enqueue([newJob(next)]);
    await eventually(() => expect(held.release).toBeDefined());
    held.release!();
    await eventually(() => expect(started.at(-1)?.id).toBe(next));
  }

  /** Resolves when the worker waits in its blocking read. */
  async function untilIdle(): Promise<void> {
    const name = `name=${prefix}:`;
    await eventually(async () => {
      const list = String(await admin.client('LIST')).split('\n');
      expect(list.some((line) => line.includes(name) && line.includes('cmd=brpoplpush'))).toBe(true);
    });
  }

  const ended = (count: number): Promise<void> =>
    eventually(async () => expect(await engine.counts('default')).toMatchObject({ completed: count, active: 0 }));

  it('gets a job in the answer to its read, without a turn before the start', async () => {
    let turns = 0;
    workAtOnce();
    await untilIdle();
    replace(clients.client, 'tasks:turn', (original) => (...args) => {
      turns++;
      expect(started).toHaveLength(1);
      return original(...args);
    });
    await engine.enqueue([newJob('1')]);
    await ended(1);
    expect(turns).toBe(1);
    expect(await admin.exists(`${base}arriving`)).toBe(0);
  });

  it('waits for the next job while the first one runs, and makes no turn for it', async () => {
    work();
    await untilIdle();
    let turns = 0;
    replace(clients.client, 'tasks:turn', (original) => (...args) => {
      turns++;
      return original(...args);
    });
    for (const id of ['1', '2', '3']) {
      await engine.enqueue([newJob(id)]);
      await eventually(() => expect(started.at(-1)?.id).toBe(id));
    }
    expect(turns).toBe(0);
    const [record] = await engine.find([{ id: '3' }]);
    expect(record).toMatchObject({ state: 'active', runs: [{ attempt: 1, worker: 'host:1' }] });
    expect(Math.abs(record!.startedAt! - Date.now())).toBeLessThan(5_000);
    expect(await admin.pttl(`${base}3:lock`)).toBeGreaterThan(50_000);
  });

  it('takes a job with rules by a turn, once', async () => {
    workAtOnce();
    await untilIdle();
    await engine.enqueue([newJob('1', TAGGED)]);
    await ended(1);
    expect(started).toEqual([{ id: '1', crashes: 0 }]);
  });

  it('runs a job whose answer was lost, before its lock ends and without a crash on its record', async () => {
    workAtOnce();
    await untilIdle();
    replace(clients.bclient, 'brpoplpush', lose);
    await replaceInReads('tasks:arrive', lose);
    await engine.enqueue([newJob('second')]);
    await ended(2);
    expect(started).toEqual([
      { id: 'first', crashes: 0 },
      { id: 'second', crashes: 0 },
    ]);
  });

  it('runs a job that the read has moved and the script has not taken', async () => {
    workAtOnce();
    await replaceInReads('tasks:arrive', () => () => Promise.reject(new Error('OOM command not allowed')));
    await engine.enqueue([newJob('second')]);
    await ended(2);
    expect(started.map(({ id }) => id)).toEqual(['first', 'second']);
    expect(await admin.exists(`${base}arriving`)).toBe(0);
  });

  it('counts and lists a job on its way as waiting, and begins with what a dead one has left there', async () => {
    await engine.enqueue([newJob('1'), newJob('2', TAGGED), newJob('3')]);
    await admin.rpoplpush(`${base}wait`, `${base}arriving`);
    await admin.rpoplpush(`${base}wait`, `${base}arriving`);
    expect(await engine.counts('default')).toMatchObject({ waiting: 3, active: 0 });
    const { jobs } = await engine.list({ queue: 'default', state: 'waiting', limit: 10 });
    expect(jobs.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(await engine.state({ id: '1' })).toBe('waiting');
    workAtOnce();
    await ended(3);
    expect(started.map(({ id }) => id).toSorted()).toEqual(['1', '2', '3']);
  });

  it('does not run what was cancelled in the hands of a dead one, nor what is no job', async () => {
    await engine.enqueue([newJob('1'), newJob('2')]);
    await admin.rpoplpush(`${base}wait`, `${base}arriving`);
    await admin.lpush(`${base}arriving`, 'no-job', 'wait');
    expect(await engine.cancel([{ id: '1' }])).toEqual([true]);
    workAtOnce();
    await ended(1);
    expect(started.map(({ id }) => id)).toEqual(['2']);
    expect(await admin.keys(`${base}*:broken`)).toEqual([]);
    expect(await admin.exists(`${base}arriving`, `${base}gone`, `${base}active`, `${base}wait`)).toBe(0);
  });

  it('does not run what was cancelled before the answer came', async () => {
    let aborted = 0;
    work(() => aborted++);
    const held = await holdAnswers();
    await engine.enqueue([newJob('second')]);
    await eventually(() => expect(held.release).toBeDefined());
    expect(await engine.cancel([{ id: 'second' }, { id: 'first' }])).toEqual([true, true]);
    // Notices come in order, so that the one before has come, too.
    await eventually(() => expect(aborted).toBe(1));
    await releaseAndRun(held, 'third');
    expect(started.map(({ id }) => id)).toEqual(['first', 'third']);
  });

  it('gives a job back that comes while it stops', async () => {
    workAtOnce();
    const held = await holdAnswers();
    await engine.enqueue([newJob('second')]);
    await eventually(() => expect(held.release).toBeDefined());
    const closed = engine.close();
    held.release!();
    await closed;
    expect(started.map(({ id }) => id)).toEqual(['first']);
    expect(await admin.lrange(`${base}wait`, 0, -1)).toEqual(['second']);
    expect(await admin.exists(`${base}active`, `${base}second:lock`)).toBe(0);
  });

  it('looks twice for a job whose answer was lost, and finds it once', async () => {
    work();
    let looks = 0;
    await untilIdle();
    replace(clients.client, 'tasks:reclaim', (original) => async (...args) => {
      const reply = await original(...args);
      looks++;
      return reply;
    });
    replace(clients.bclient, 'brpoplpush', lose);
    await replaceInReads('tasks:arrive', lose);
    await engine.enqueue([newJob('second')]);
    await eventually(() => expect(looks).toBe(2));
    expect(started.map(({ id }) => id)).toEqual(['first', 'second']);
    expect(await engine.state({ id: 'second' })).toBe('active');
    expect(await admin.exists(`${base}second:lock`)).toBe(1);
  });

  it('does not begin a job whose answer comes so late that its lock may have ended', async () => {
    await engine.close();
    engine = createEngine(400);
    workAtOnce();
    const held = await holdAnswers();
    const heldAt = performance.now();
    await engine.enqueue([newJob('second')]);
    await eventually(() => expect(held.release).toBeDefined());
    // As another worker would have it by now.
    await admin.set(`${base}second:lock`, 'another');
    await eventually(() => expect(performance.now() - heldAt).toBeGreaterThan(300));
    await releaseAndRun(held, 'third');
    expect(started.map(({ id }) => id)).toEqual(['first', 'third']);
    await admin.del(`${base}second:lock`);
  });

  it('gives a job back that comes while it stops, also where its read cannot be ended', async () => {
    workAtOnce();
    const held = await holdAnswers();
    await engine.enqueue([newJob('second')]);
    await eventually(() => expect(held.release).toBeDefined());
    replace(clients.client, 'call', () => () => Promise.reject(new Error('NOPERM')));
    await engine.close();
    expect(started.map(({ id }) => id)).toEqual(['first']);
    expect(await admin.lrange(`${base}wait`, 0, -1)).toEqual(['second']);
    expect(await admin.exists(`${base}active`, `${base}second:lock`)).toBe(0);
  });
});
