import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import { startProgram, type Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

/** What each process runs: it notes its runs in Redis, outside of the library. Its clock may be wrong. */
function program(schedules: string): string {
  return `
  import 'reflect-metadata';
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { Redis } from 'ioredis';
  import { Cron, Ctx, Interval, TaskContext, TasksModule } from 'nestjs-tasks';
  const { options, notes, skew } = JSON.parse(process.env.WORKER);
  const effects = new Redis(options.redis);
  const rightNow = Date.now;
  Date.now = () => rightNow() + skew;
  async function note(context) {
    const { jobId: id, tick, schedule } = context;
    const at = rightNow();
    await effects.rpush(notes, JSON.stringify({ id, name: schedule.name, tick: tick?.getTime(), missed: schedule.missed, at, pid: process.pid }));
  }
  class Reports {
    ${schedules}
  }
  @Module({ imports: [TasksModule.forRoot(options)], providers: [Reports] })
  class WorkerModule {}
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  console.log('ready');
`;
}

const EACH_SECOND = `
  @Cron('* * * * * *', { name: 'each', overlap: 'allow' })
  each(@Ctx() context: TaskContext) { return note(context); }`;

interface Note {
  id: string;
  name: string;
  tick: number;
  missed: number;
  at: number;
  pid: number;
}

let prefix: string;
let redis: Redis;
let children: Child[];

beforeAll(async () => {
  await ensureBuilt();
  redis = new Redis(redisUrl());
});
afterAll(() => redis.disconnect());

beforeEach(() => {
  prefix = freshPrefix();
  children = [];
});
afterEach(() => Promise.all(children.map((child) => child.kill('SIGKILL'))));

async function start(schedules: string, count: number, skew = 0): Promise<Child[]> {
  const options = { redis: redisUrl(), prefix, lockDuration: 1_000, stalledInterval: 500, shutdownGrace: 1_000 };
  const env = { WORKER: JSON.stringify({ options, notes: `${prefix}:notes`, skew }) };
  const started = Array.from({ length: count }, () => startProgram(program(schedules), env));
  children.push(...started);
  await Promise.all(started.map((child) => child.printed(/ready/)));
  return started;
}

async function notes(name?: string): Promise<Note[]> {
  const lines = await redis.lrange(`${prefix}:notes`, 0, -1);
  return lines.map((line) => JSON.parse(line) as Note).filter((note) => name === undefined || note.name === name);
}

/** Resolves when so many different ticks have run after an instant. */
async function ticked(name: string, count: number, after = 0): Promise<void> {
  const ran = async (): Promise<number> =>
    new Set((await notes(name)).filter(({ tick }) => tick > after).map(({ tick }) => tick)).size;
  await eventually(async () => expect(await ran()).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
}

/** Expects every tick from the first to the last one, each once; a run that died with its process may be repeated. */
async function expectEachTickOnce(name: string, every: number): Promise<readonly Note[]> {
  // A run that has just died is repeated when its lock has expired.
  await eventually(async () => {
    const ran = [...new Set((await notes(name)).map(({ tick }) => tick))].toSorted((a, b) => a - b);
    expect(ran.slice(1).filter((tick, index) => tick - ran[index] !== every)).toEqual([]);
  });
  const all = (await notes(name)).toSorted((a, b) => a.tick - b.tick);
  const ticks = [...new Set(all.map(({ tick }) => tick))];
  for (const tick of ticks) {
    const runs = all.filter((note) => note.tick === tick);
    const crashes = Number((await redis.hget(`${prefix}:default:${runs[0].id}`, 'stalledCounter')) ?? 0);
    expect([tick, runs.length]).toEqual([tick, Math.max(1, Math.min(runs.length, 1 + crashes))]);
  }
  expect(Number((await redis.hget(`${prefix}:default:schedule:${name}`, 'missed')) ?? 0)).toBe(0);
  return all;
}

describe('five processes with a schedule per second', () => {
  it('run each tick once while one after another is killed or restarted', async () => {
    await start(EACH_SECOND, 5);
    const until = Date.now() + 12_000;
    for (let turn = 0; Date.now() < until; turn++) {
      await ticked('each', 1, Date.now());
      const [oldest] = children.splice(0, 1);
      await oldest.kill(turn % 3 === 2 ? 'SIGTERM' : 'SIGKILL');
      await start(EACH_SECOND, 1);
    }
    await ticked('each', 2, Date.now());
    const all = await expectEachTickOnce('each', 1_000);
    expect(new Set(all.map(({ tick }) => tick)).size).toBeGreaterThanOrEqual(10);
    expect(new Set(all.map(({ pid }) => pid)).size).toBeGreaterThan(1);
  }, 60_000);
});

describe('processes whose clocks are 30 s wrong', () => {
  it('run each tick once and on time, also when the one with the right clock is gone', async () => {
    const schedule = `
      @Interval('500ms', { name: 'each', overlap: 'allow' })
      each(@Ctx() context: TaskContext) { return note(context); }`;
    const [right] = await start(schedule, 1);
    await start(schedule, 1, 30_000);
    await start(schedule, 1, -30_000);
    await ticked('each', 4, Date.now());
    await right.kill('SIGKILL');
    await ticked('each', 6, Date.now());
    const all = await expectEachTickOnce('each', 500);
    for (const { tick, at } of all.filter(({ missed }) => missed === 0)) {
      expect(at - tick).toBeGreaterThan(-100);
      // A run that died with its process is repeated two seconds later.
      expect(at - tick).toBeLessThan(5_000);
    }
  }, 60_000);
});

describe('a deploy that changes, removes and renames schedules', () => {
  const declare = (name: string, every: string) => `
    @Interval('${every}', { name: '${name}', overlap: 'allow', catchUp: 'all' })
    ${name}(@Ctx() context: TaskContext) { return note(context); }`;

  it('leaves nothing of the old ones that fires', async () => {
    const old = await start(declare('changed', '200ms') + declare('removed', '200ms') + declare('before', '200ms'), 2);
    for (const name of ['changed', 'removed', 'before']) await ticked(name, 3);
    await start(declare('changed', '700ms') + declare('after', '200ms'), 2);
    await Promise.all(old.map((child) => child.kill('SIGTERM')));
    const since = Date.now();
    await ticked('changed', 3, since);
    await ticked('after', 5, since);
    const later = (await notes()).filter(({ tick }) => tick > since);
    expect(new Set(later.map(({ name }) => name))).toEqual(new Set(['changed', 'after']));
    expect(later.filter(({ name, tick }) => name === 'changed' && tick % 700 !== 0)).toEqual([]);
    const ids = (await notes()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }, 60_000);
});

describe('a run whose process dies', () => {
  it('counts as going on until it has been recovered and has ended, and frees its schedule then', async () => {
    const slow = `
      @Interval('200ms', { name: 'slow', attempts: 1 })
      async slow(@Ctx() context: TaskContext) {
        await note(context);
        if (!(await effects.set(notes + ':held', '1', 'NX'))) return;
        await new Promise(() => undefined);
      }`;
    const [dying] = await start(slow, 1);
    await ticked('slow', 1);
    const [{ id, tick }] = await notes('slow');
    await start(slow, 1);
    await dying.kill('SIGKILL');
    await ticked('slow', 4, Date.now());
    const all = await notes('slow');
    expect(all.filter((note) => note.id === id)).toHaveLength(2);
    const recovered = all.findLast((note) => note.id === id)!;
    const between = all.filter((note) => note.tick > tick && note.at < recovered.at);
    expect(between).toEqual([]);
    expect(Number(await redis.hget(`${prefix}:default:schedule:slow`, 'skipped'))).toBeGreaterThan(0);
  }, 60_000);
});
