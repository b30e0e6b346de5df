import type { INestApplicationContext, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import type { JobHandle, JobInfo, Signature, TaskRefs, TasksModuleOptions, ThreadOptions } from '../../lib/index.js';
import { startNode } from '../support/child.js';
import { compileProgram, importCompiled } from '../support/compiled.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

type Program = typeof import('./threads-app/index.js');

type Options = Omit<TasksModuleOptions, 'threads'> & { threads?: Partial<ThreadOptions> | false };

/** How a task may end its thread, and what is said of it. */
const ENDS: [how: string, message: RegExp][] = [
  ['exit', /ended its thread with code 7, by process\.exit\(\)/],
  ['uncaught', /by an error that nobody caught: nobody catches this/],
  ['rejection', /by an error that nobody caught: nobody awaits this/],
  ['memory', /needed more than the 96 MB/],
];
// What grows in large steps is stopped in time where a heap can be looked at: since Node 22.16 and 24.
if ('getHeapStatistics' in Worker.prototype) ENDS.push(['map', /needed more than the 96 MB/]);

// Threads boot slowly while many tests run.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });
const PATIENT = { timeout: 60_000 };

let folder: string;
let program: Program;
let notesFolder: string;
const apps: INestApplicationContext[] = [];

beforeAll(async () => {
  await ensureBuilt();
  folder = compileProgram('test/e2e/threads-app');
  program = await importCompiled<Program>(folder, 'index.js');
  notesFolder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-threads-'));
  process.env.TEST_NOTES = join(notesFolder, 'notes');
}, 180_000);

beforeEach(() => writeFileSync(process.env.TEST_NOTES!, ''));

afterAll(() => {
  delete process.env.TEST_NOTES;
  delete process.env[program.OPTIONS];
  rmSync(notesFolder, { recursive: true, force: true });
});

/** What the tasks noted, in the order in which it happened. */
function notes(): string[] {
  return readFileSync(process.env.TEST_NOTES!, 'utf8').split('\n').slice(0, -1);
}

function noted(...lines: string[]): Promise<void> {
  return eventually(() => expect(notes()).toEqual(expect.arrayContaining(lines)), PATIENT);
}

interface Stage {
  app: INestApplicationContext;
  lines: string[];
  enqueue<R>(call: Signature<R>, options?: object): Promise<JobHandle<R>>;
  result<R>(call: Signature<R>, options?: object): Promise<unknown>;
  /** Waits until the job has ended, and answers all about it. */
  ended(job: { id: string }): Promise<JobInfo>;
}

async function boot(options: Options): Promise<Stage> {
  process.env[program.OPTIONS] = JSON.stringify(options);
  const lines: string[] = [];
  const write =
    (level: string) =>
    (message: unknown, ...rest: unknown[]) =>
      void lines.push([level, message, rest.at(-1)].join(' '));
  const logger: LoggerService = { log: write('log'), warn: write('warn'), error: write('error') };
  const app = await NestFactory.createApplicationContext(program.AppModule, { logger, abortOnError: false });
  apps.push(app);
  const queue = app.get(program.TaskQueue);
  const enqueue: Stage['enqueue'] = (call, extra) => queue.enqueue(call, extra);
  return {
    app,
    lines,
    enqueue,
    result: async (call, extra) => (await enqueue(call, extra)).result({ timeout: '60s' }),
    ended: async (job) => {
      await queue
        .job(job.id)
        .result({ timeout: '60s' })
        .catch(() => undefined);
      return (await queue.job(job.id).info())!;
    },
  };
}

const closeAll = async (): Promise<void> => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
};

describe.each(ENGINES)('a task with isolate, on the %s engine', (_engine, options) => {
  let stage: Stage;
  let tasks: TaskRefs<InstanceType<Program['ThreadTasks']>>;

  beforeAll(async () => {
    tasks = program.task(program.ThreadTasks);
    stage = await boot({ ...options(), threads: { max: 2, memory: 96, grace: 200 } });
  });

  afterAll(closeAll);

  it('runs in a worker thread of the process, with what its class gets injected', async () => {
    expect(await stage.result(tasks.add(20, 22))).toEqual({
      sum: 42,
      isMainThread: false,
      threadId: expect.any(Number),
      pid: process.pid,
    });
  });

  it('runs on a request-scoped provider, which is made for the run in the thread', async () => {
    const job = await stage.enqueue(program.task(program.RequestTasks).scoped());
    expect(await job.result({ timeout: '60s' })).toEqual({ jobId: job.id, sum: 3, isMainThread: false });
  });

  it('has the context of its run, and keeps the order of its progress', async () => {
    const job = await stage.enqueue(tasks.context(), { metadata: { tenant: 'ada' } });
    const info = await stage.ended(job);
    expect(info.result).toEqual({
      jobId: job.id,
      name: 'ThreadTasks.context',
      queue: 'default',
      attempt: 1,
      attempts: 4,
      metadata: { tenant: 'ada' },
      isCurrent: true,
      enqueuedAt: info.enqueuedAt.getTime(),
    });
    expect(info).toMatchObject({
      progress: { done: 2 },
      logs: ['a line'],
      runs: [{ attempt: 1, outcome: 'completed' }],
    });
  });

  it('uses the TaskQueue of the app, and gets its errors as they are', async () => {
    expect(await stage.result(tasks.client())).toEqual({
      unknown: 'unknown',
      missing: 'ResultNotFoundError',
      refused: 'UnknownQueueError',
      duplicate: ['DuplicateJobError', 'TASKS_DUPLICATE_JOB', true],
      cancelled: true,
      state: 'cancelled',
    });
  });

  it('lends its thread while it waits for the result of another job', async () => {
    // Deeper than there are threads.
    expect(await stage.result(tasks.nested(3))).toBe(7);
  });

  it('steers by Retry, Snooze and Discard', async () => {
    const [retried, snoozed, discarded] = await Promise.all(
      ['retry', 'snooze', 'discard'].map(async (how) => stage.ended(await stage.enqueue(tasks.steer(how)))),
    );
    expect(retried).toMatchObject({
      result: 'attempt 2',
      runs: [{ outcome: 'retry', error: { name: 'TypeError', message: 'once more' } }, { outcome: 'completed' }],
    });
    expect(snoozed).toMatchObject({ result: 'done', runs: [{ attempt: 1, outcome: 'snooze' }, { attempt: 1 }] });
    expect(discarded).toMatchObject({ state: 'failed', runs: [{}], error: { name: 'Discard', message: 'no use' } });
  });

  it('is retried or failed by the class of its error, after the wait that its backoff function makes of it', async () => {
    const [hopeless, refused, other] = await Promise.all(
      ['hopeless', 'refused', 'other'].map(async (how) => stage.ended(await stage.enqueue(tasks.fails(how)))),
    );
    expect(hopeless.runs).toHaveLength(1);
    expect(refused).toMatchObject({ state: 'failed', runs: [{}, {}, {}], error: { name: 'Refused' } });
    expect(other).toMatchObject({
      state: 'failed',
      runs: [{}],
      error: { name: 'Error', message: 'other', code: 'E_OTHER' },
    });
    expect(other.error!.stack).toMatch(/app\.module[^]*Caused by: TypeError: deeper/);
  });

  it('knows the tick of its schedule, and looks at schedules and sets them', async () => {
    const schedules = stage.app.get(program.TaskSchedules);
    const since = Date.now();
    await schedules.set({ name: 'from-test', every: '1s', limit: 1, signature: tasks.scheduled('once') });
    const jobId = await eventually(() => {
      const [line] = notes().filter((one) => one.startsWith('ticked once '));
      expect(line).toBeDefined();
      return line.split(' ')[2];
    }, PATIENT);
    const { result } = (await stage.ended({ id: jobId })) as { result?: unknown };
    expect(result).toEqual({
      label: 'once',
      isMainThread: false,
      tick: expect.any(Number),
      name: 'from-test',
      listed: ['from-test'],
      isRemoved: true,
    });
    const { tick } = result as { tick: number };
    expect(tick % 1_000).toBe(0);
    expect(tick).toBeGreaterThan(since);
    expect(await schedules.list()).toEqual([]);
  });

  it('fails for a result that is no JSON', async () => {
    const info = await stage.ended(await stage.enqueue(tasks.unserialisable()));
    expect(info).toMatchObject({ state: 'failed', error: { code: 'TASKS_INVALID_RESULT' }, runs: [{}] });
  });

  it('logs through the logger of the app', async () => {
    await stage.result(tasks.logs());
    expect(stage.lines).toContain('warn a warning from a thread Fixture');
    expect(stage.lines.filter((line) => line.includes('InstanceLoader')).length).toBeLessThan(10);
  });

  it.each(ENDS)(
    'that ends its thread by %s has failed, which uses an attempt and hurts no other job',
    async (how, message) => {
      const neighbour = await stage.enqueue(tasks.wait(1_000, 'neighbour'));
      await noted('begun neighbour');
      const info = await stage.ended(await stage.enqueue(tasks.crash(how)));
      expect(info).toMatchObject({
        state: 'failed',
        crashes: 0,
        runs: [{ attempt: 1, outcome: 'retry' }, { attempt: 2 }],
      });
      for (const { error } of info.runs) {
        expect(error).toMatchObject({ code: 'TASKS_TASK_CRASHED', message: expect.stringMatching(message) });
      }
      expect((await stage.ended(neighbour)).runs).toHaveLength(1);
      expect(await stage.result(tasks.add(1, 2))).toMatchObject({ sum: 3 });
    },
  );

  it('is followed by onFailed when it ended its thread', async () => {
    const { id } = await stage.enqueue(tasks.doomed());
    expect(await stage.app.get(program.TaskQueue).job(`${id}:failed`).state()).toBe('unknown');
    await stage.ended({ id });
    const alert = await stage.ended({ id: `${id}:failed` });
    expect(alert.result).toBe(`${id}: TaskCrashedError`);
  });

  it('has its signal aborted when it is cancelled, and keeps its thread where it ends then', async () => {
    const job = await stage.enqueue(tasks.wait(60_000, 'polite'));
    await noted('begun polite');
    expect(await job.cancel()).toBe(true);
    await noted('aborted polite TaskCancelledError');
    expect(await job.state()).toBe('cancelled');
  });

  it('is stopped when it is cancelled and goes on', async () => {
    const jobs = [await stage.enqueue(tasks.block(60_000)), await stage.enqueue(tasks.block(60_001))];
    await eventually(async () => expect(await jobs[1].state()).toBe('active'), PATIENT);
    const waiting = await stage.enqueue(tasks.add(1, 1));
    for (const job of jobs) expect(await job.cancel()).toBe(true);
    expect(await waiting.result({ timeout: '60s' })).toMatchObject({ sum: 2 });
  });

  it('never begins when it is cancelled while it waits for a thread', async () => {
    const busy = [await stage.enqueue(tasks.wait(60_000, 'one')), await stage.enqueue(tasks.wait(60_000, 'two'))];
    await noted('begun one', 'begun two');
    const waiting = await stage.enqueue(tasks.wait(0, 'three'));
    await eventually(async () => expect(await waiting.state()).toBe('active'), PATIENT);
    expect(await waiting.cancel()).toBe(true);
    for (const job of busy) expect(await job.cancel()).toBe(true);
    await stage.result(tasks.wait(0, 'four'));
    expect(notes()).not.toContain('begun three');
  });

  it('uses an attempt by a timeout, is stopped after the grace, and runs again', async () => {
    const job = await stage.enqueue(tasks.stubborn('slow'), { timeout: 100 });
    const info = await stage.ended(job);
    expect(info).toMatchObject({
      state: 'failed',
      error: { code: 'TASKS_TASK_TIMEOUT' },
      runs: [
        { attempt: 1, outcome: 'retry', error: { name: 'TaskTimeoutError' } },
        { attempt: 2, outcome: 'failed' },
      ],
    });
    expect(notes().filter((line) => line.includes('slow'))).toEqual(['begun slow 1', 'begun slow 2']);
  });

  it('goes on the event loop with threads: false', async () => {
    const other = await boot({ ...options(), threads: false });
    expect(await other.result(tasks.add(1, 2))).toMatchObject({ sum: 3, isMainThread: true });
  });
});

describe('the threads of an app', () => {
  let tasks: TaskRefs<InstanceType<Program['ThreadTasks']>>;

  beforeAll(() => {
    tasks = program.task(program.ThreadTasks);
  });

  afterEach(async () => {
    delete process.env.TEST_BOOT_FAILS;
    delete process.env.TEST_CODEC;
    await closeAll();
  });

  it('count a timeout from the call of the method, not from the start of a thread', async () => {
    const stage = await boot({ threads: { max: 1 } });
    expect(await stage.result(tasks.add(1, 2), { timeout: 150, attempts: 1 })).toMatchObject({ sum: 3 });
  });

  it('end when they have no work, and close their app before', async () => {
    const stage = await boot({ threads: { max: 1, idleTimeout: 50 } });
    const { threadId } = (await stage.result(tasks.add(1, 2))) as { threadId: number };
    await noted('closed thread');
    const later = (await stage.result(tasks.add(1, 2))) as { threadId: number };
    expect(later.threadId).not.toBe(threadId);
  });

  it('close their app at the end of the whole, before the app itself', async () => {
    const stage = await boot({ threads: { max: 1 } });
    await stage.result(tasks.add(1, 2));
    await closeAll();
    expect(notes()).toEqual(['closed thread', 'closed main']);
  });

  it('do not warn again of what the app warned of at its boot', async () => {
    const stage = await boot({ threads: { max: 1 } });
    await stage.result(tasks.add(1, 2));
    await stage.result(tasks.logs());
    await eventually(() => expect(stage.lines).toContain('warn a warning from a thread Fixture'), PATIENT);
    expect(stage.lines.filter((line) => line.includes('fires in every process'))).toHaveLength(1);
  });

  it('let a job wait when they cannot boot, with one line for all jobs, and run it later', async () => {
    process.env.TEST_BOOT_FAILS = '1';
    const stage = await boot({ threads: { max: 2 } });
    const jobs = await Promise.all([1, 2, 3].map((value) => stage.enqueue(tasks.add(value, 0))));
    await eventually(async () => {
      for (const job of jobs) expect((await job.info())!.runs[0]?.outcome).toBe('snooze');
    }, PATIENT);
    const error = { code: 'TASKS_THREAD_START', message: expect.stringContaining('the database is away') };
    expect(await jobs[0].info()).toMatchObject({ runs: [{ attempt: 1, outcome: 'snooze', error }] });
    expect(stage.lines.filter((line) => line.includes('the database is away'))).toHaveLength(1);
    delete process.env.TEST_BOOT_FAILS;
    const ended = await Promise.all(jobs.map((job) => stage.ended(job)));
    for (const info of ended) expect(info).toMatchObject({ state: 'completed', attempts: 3 });
    expect(ended[0].runs.at(-1)).toMatchObject({ attempt: 1, outcome: 'completed' });
  });

  it('let a job wait when they end while they boot', async () => {
    process.env.TEST_BOOT_FAILS = 'exit';
    const stage = await boot({ threads: { max: 1 } });
    const job = await stage.enqueue(tasks.add(1, 2));
    await eventually(async () => expect((await job.info())!.runs[0]?.error?.code).toBe('TASKS_THREAD_START'), PATIENT);
    expect(await job.cancel()).toBe(true);
  });

  it('give running and waiting jobs back at a shutdown, also from a blocked thread', async () => {
    const prefix = freshPrefix();
    const options = { redis: redisUrl(), prefix, shutdownGrace: 50 };
    const stage = await boot({ ...options, threads: { max: 1 } });
    const blocked = await stage.enqueue(tasks.announced(60_000));
    await eventually(() => expect(stage.lines).toContain('log blocking now Fixture'), PATIENT);
    const waiting = await stage.enqueue(tasks.add(1, 2));
    await eventually(async () => expect(await waiting.state()).toBe('active'), PATIENT);
    const startedAt = Date.now();
    await closeAll();
    expect(Date.now() - startedAt).toBeLessThan(3_000);

    const next = await boot({ ...options, worker: false });
    const queue = next.app.get(program.TaskQueue);
    for (const { id } of [blocked, waiting]) {
      expect(await queue.job(id).info()).toMatchObject({
        state: 'waiting',
        crashes: 0,
        runs: [{ outcome: 'shutdown' }],
      });
    }
  });

  it('get arguments decoded, and have progress and results encoded, by the codec of the main thread', async () => {
    process.env.TEST_CODEC = 'base64';
    const prefix = freshPrefix();
    const stage = await boot({ redis: redisUrl(), prefix, threads: { max: 1 } });
    expect(await stage.result(tasks.add(20, 22), { jobId: 'coded' })).toMatchObject({ sum: 42, isMainThread: false });
    const reporting = await stage.ended(await stage.enqueue(tasks.context(), { jobId: 'reporting' }));
    expect(reporting).toMatchObject({ progress: { done: 2 }, result: { jobId: 'reporting' } });
    const client = new Redis(redisUrl());
    const stored = await client.hgetall(`${prefix}:default:coded`);
    const { progress } = await client.hgetall(`${prefix}:default:reporting`);
    client.disconnect();
    for (const text of [stored.data, stored.returnvalue, progress]) expect(text).toContain('nestjs-tasks:encoded');
  });

  it('stop a run whose lock is lost', async () => {
    const prefix = freshPrefix();
    const options = { redis: redisUrl(), prefix, lockDuration: 400, stalledInterval: 0 };
    const stage = await boot({ ...options, threads: { max: 1 } });
    const job = await stage.enqueue(tasks.wait(60_000, 'lost'));
    await noted('begun lost');
    const client = new Redis(redisUrl());
    await client.del(`${prefix}:default:${job.id}:lock`);
    client.disconnect();
    await noted('aborted lost JobLockLostError');
  });

  it('hold up neither the renewal of locks nor other jobs while one is busy for long', async () => {
    const options = { redis: redisUrl(), prefix: freshPrefix(), lockDuration: 1_500, stalledInterval: 500 };
    const stage = await boot({ ...options, threads: { max: 1 } });
    const other = await boot({ ...options, threads: { max: 1 } });
    await Promise.all([stage.result(tasks.add(1, 2)), other.result(tasks.add(1, 2))]);

    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const job = await stage.enqueue(tasks.block(4_500));
    let meanwhile = 0;
    while ((await job.state()) !== 'completed') {
      await stage.result(tasks.onLoop(1));
      meanwhile++;
    }
    delay.disable();
    expect((await job.info())!.runs).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
    expect((await job.info())!.crashes).toBe(0);
    expect(meanwhile).toBeGreaterThan(20);
    const longest = Math.round(delay.max / 1e6);
    console.log(
      `A task blocked its thread for three lock durations: ${meanwhile} other jobs ran, event loop late by ${longest} ms at most.`,
    );
    expect(longest).toBeLessThan(1_000);
  });
});

describe('an app with threads as a process', () => {
  beforeAll(() => {
    process.env[program.OPTIONS] = JSON.stringify({ threads: { max: 1 } });
  });

  it('ends by itself once it is closed', async () => {
    const app = startNode(join(folder, 'main.js'), { args: ['once'] });
    await app.printed(/result \{"sum":42,"isMainThread":false/);
    expect(await app.ended(30_000)).toBe(0);
    expect(app.output).toContain('closed');
    expect(app.output).not.toMatch(/warning|error/i);
  });

  it('ends within 2 s of a second signal, also with a blocked thread', async () => {
    const app = startNode(join(folder, 'main.js'), { args: ['block'] });
    await app.printed(/blocking now/);
    process.kill(app.pid, 'SIGTERM');
    await app.printed(/Waiting up to 30000 ms for 1 running job/);
    const startedAt = Date.now();
    await app.kill('SIGTERM');
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });
});
