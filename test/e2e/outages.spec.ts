import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { task, Ctx, Task, TaskContext, TaskHealth, TaskQueue, type TasksModuleOptions } from '../../lib/index.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { startLoggedApp, type LoggedApp } from '../support/logged-app.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';
import { Proxy } from '../support/proxy.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

/** How long Redis is away in the middle of the work, in s; the long form takes 30. */
const AWAY = Number(process.env.TEST_OUTAGE_SECONDS ?? 2);
const LONG_TEST = 30_000 + AWAY * 1_000;

const AOF = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
const MOST_LINES = 10;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

class WorkTasks {
  static readonly ran: number[] = [];
  static readonly aborted: unknown[] = [];
  static gate: Deferred<void>;

  @Task() count(number: number): number {
    WorkTasks.ran.push(number);
    return number;
  }

  @Task() async hold(@Ctx() context: TaskContext): Promise<string> {
    WorkTasks.ran.push(-1);
    context.signal.addEventListener('abort', () => WorkTasks.aborted.push(context.signal.reason));
    await WorkTasks.gate.promise;
    return 'held';
  }
}
const { count, hold } = task(WorkTasks);

interface Started extends LoggedApp {
  queue: TaskQueue;
  health: TaskHealth;
}

/** An app with a worker that has done a job. */
async function start(options: TasksModuleOptions): Promise<Started> {
  WorkTasks.ran.length = 0;
  WorkTasks.aborted.length = 0;
  WorkTasks.gate = deferred();
  const { app, lines } = await startLoggedApp({ prefix: freshPrefix(), ...options }, [WorkTasks]);
  ends.push(async () => {
    WorkTasks.gate.resolve();
    await app.close();
  });
  const queue = app.get(TaskQueue);
  expect(await (await queue.enqueue(count(0))).result({ timeout: '10s' })).toBe(0);
  WorkTasks.ran.length = 0;
  lines.length = 0;
  return { app, lines, queue, health: app.get(TaskHealth) };
}

async function ownServer(...settings: string[]): Promise<OwnServer> {
  const server = await startOwnServer(() => settings);
  ends.push(() => server.stop());
  return server;
}

async function ownProxy(url = redisUrl()): Promise<Proxy> {
  const proxy = await Proxy.start(url);
  ends.push(() => proxy.stop());
  return proxy;
}

/** How a call is refused, and after how many ms. */
async function refusal(queue: TaskQueue): Promise<{ error: { sent?: boolean; message: string }; took: number }> {
  const before = performance.now();
  const error = await queue.enqueue(count(-2)).then(
    () => new Error('It was not refused.'),
    (reason: unknown) => reason as Error,
  );
  return { error, took: performance.now() - before };
}

/** The first job that is done from now on, and after how many ms. */
async function firstJobDone({ queue }: Started): Promise<number> {
  const before = performance.now();
  const job = await eventually(() => queue.enqueue(count(-3)));
  expect(await job.result({ timeout: '10s' })).toBe(-3);
  return performance.now() - before;
}

/** Resolves when a worker of that prefix sits in its blocking read. */
async function becomesIdle(prefix: string): Promise<void> {
  const redis = new Redis(redisUrl());
  await eventually(async () => {
    const clients = String(await redis.client('LIST')).split('\n');
    expect(clients.filter((line) => line.includes(`name=${prefix}:`) && line.includes('cmd=brpoplpush'))).toHaveLength(
      1,
    );
  });
  redis.disconnect();
}

function report(what: string, took: number): void {
  console.log(`${what}: ${Math.round(took)} ms`);
}

const AWAY_AND_BACK = [
  expect.stringMatching(/^Redis is away \(/),
  expect.stringMatching(/^Redis is back after \d+ s\.$/),
];

describe('Redis that is killed in the middle of the work and restarted with its log', () => {
  it(
    `for ${AWAY} s: no job is lost, calls are refused in time, workers are back within 5 s`,
    async () => {
      const server = await ownServer(...AOF);
      const started = await start({ redis: server.url, queues: { default: { concurrency: 4 } } });
      const { queue, lines } = started;
      const held = await queue.enqueue(hold());
      await eventually(() => expect(WorkTasks.ran).toEqual([-1]));
      const later = await queue.enqueue(count(1), { delay: AWAY * 1_000 });
      const stored = await queue.enqueueMany(Array.from({ length: 300 }, (_, index) => count(10 + index)));
      await server.kill();
      const killedAt = Date.now();
      for (let call = 0; call < 3 || Date.now() - killedAt < AWAY * 1_000; call++) {
        const { error, took } = await refusal(queue);
        expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', jobId: expect.any(String) as string });
        expect(took).toBeLessThan(2_500);
      }
      WorkTasks.gate.resolve();
      server.start();
      const backIn = await firstJobDone(started);
      report('kill -9 and restart: first job done after', backIn);
      expect(backIn).toBeLessThan(5_000);
      const results = await Promise.all([held, later, ...stored].map((job) => job.result({ timeout: '10s' })));
      expect(results).toEqual(['held', 1, ...stored.map((_, index) => 10 + index)]);
      const again = (await Promise.all(stored.map((job) => job.info()))).filter((info) => info!.runs.length > 1);
      console.log(`kill -9 and restart: 0 of ${results.length} jobs lost, ${again.length} run again`);
      expect(WorkTasks.ran).not.toContain(-2);
      expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(MOST_LINES);
      expect(lines.slice(0, 2)).toEqual(AWAY_AND_BACK);
    },
    LONG_TEST,
  );

  it('and reads a large log first: is waited for without a storm of lines', async () => {
    const server = await ownServer(...AOF, '--key-load-delay', '1000');
    const started = await start({ redis: server.url, enqueueTimeout: '500ms' });
    await server.admin.eval('for i = 1, 3000 do redis.call("SET", "filler:" .. i, i) end', 0);
    await sleep(1_100);
    await server.kill();
    server.start();
    await eventually(async () => expect(await server.admin.info('persistence')).toMatch(/loading:1/));
    const { error } = await refusal(started.queue);
    expect(error).toMatchObject({ sent: false });
    await eventually(async () => expect(await server.admin.info('persistence')).toMatch(/loading:0/));
    const backIn = await firstJobDone(started);
    report('LOADING: first job done after', backIn);
    expect(backIn).toBeLessThan(5_000);
    expect(started.lines.length, started.lines.join('\n')).toBeLessThanOrEqual(4);
  });
});

describe('Redis that is restarted empty', () => {
  it('is worked with on: waiters are told, running jobs are dropped with a line, nothing hangs', async () => {
    const server = await ownServer();
    const started = await start({ redis: server.url, lockDuration: '2s' });
    const { queue, lines } = started;
    const held = await queue.enqueue(hold());
    await eventually(() => expect(WorkTasks.ran).toEqual([-1]));
    const waiting = await queue.enqueue(count(1), { delay: '1h' });
    const ofHeld = held.result().catch((error: unknown) => error);
    const ofWaiting = waiting.result().catch((error: unknown) => error);
    await eventually(async () => {
      expect((await server.admin.pubsub('CHANNELS', '*:completed')) as string[]).toHaveLength(1);
    });
    await server.kill();
    server.start();
    const backIn = await firstJobDone(started);
    report('restarted empty: first job done after', backIn);
    expect(backIn).toBeLessThan(5_000);
    expect(await ofHeld).toMatchObject({ code: 'TASKS_RESULT_NOT_FOUND' });
    expect(await ofWaiting).toMatchObject({ code: 'TASKS_RESULT_NOT_FOUND' });
    expect(await waiting.state()).toBe('unknown');
    await eventually(() => expect(WorkTasks.aborted).toEqual([expect.objectContaining({ code: 'TASKS_LOCK_LOST' })]));
    WorkTasks.gate.resolve();
    const dropped = `What the runs of job(s) ${held.id} answered is dropped`;
    await eventually(() => expect(lines.at(-1)).toContain(dropped));
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(3);
    expect(await held.state()).toBe('unknown');
  });
});

describe('a connection that is forgotten on the way', () => {
  it.each(
    (['client', 'subscriber', 'bclient'] as const).flatMap((role) =>
      (['questions', 'answers'] as const).map((what) => [role, what] as const),
    ),
  )('of the %s, which swallows %s: jobs are done and told within 5 s', async (role, what) => {
    const proxy = await ownProxy();
    const prefix = freshPrefix();
    const started = await start({
      prefix,
      redis: {
        createClient: (of) =>
          new Redis(of === role ? proxy.url : redisUrl(), { maxRetriesPerRequest: null, enableReadyCheck: false }),
      },
    });
    await becomesIdle(prefix);
    proxy.silence(what);
    const before = performance.now();
    const job = await eventually(() => started.queue.enqueue(count(1), { jobId: 'one' }));
    expect(await job.result({ timeout: '15s' })).toBe(1);
    const took = performance.now() - before;
    report(`${role} forgotten, ${what} swallowed: job done and told after`, took);
    expect(took).toBeLessThan(5_500);
    expect(started.lines.length, started.lines.join('\n')).toBeLessThanOrEqual(4);
    await eventually(async () => expect((await started.health.ready()).ready).toBe(true));
  });

  it(
    'while every new one is too: all goes on within 5 s of the end',
    async () => {
      const proxy = await ownProxy();
      const started = await start({ redis: proxy.url });
      const held = await started.queue.enqueue(hold());
      await eventually(() => expect(WorkTasks.ran).toEqual([-1]));
      proxy.blackHole();
      const refused = await refusal(started.queue);
      report('black hole: enqueue rejects after', refused.took);
      expect(refused.error).toMatchObject({ sent: true });
      expect(refused.took).toBeLessThan(2_300);
      WorkTasks.gate.resolve();
      await sleep(AWAY * 1_000);
      expect((await refusal(started.queue)).error).toMatchObject({ sent: false });
      proxy.heal();
      const backIn = await firstJobDone(started);
      report('black hole: first job done after its end', backIn);
      expect(backIn).toBeLessThan(5_000);
      expect(await held.result({ timeout: '10s' })).toBe('held');
      expect(started.lines).toEqual(AWAY_AND_BACK);
    },
    LONG_TEST,
  );

  it('by a reset of all at once is made again within a second', async () => {
    const proxy = await ownProxy();
    const started = await start({ redis: proxy.url });
    const waiting = (await started.queue.enqueue(count(1), { delay: '500ms' })).result({ timeout: '10s' });
    proxy.cut();
    expect(await firstJobDone(started)).toBeLessThan(2_000);
    expect(await waiting).toBe(1);
  });
});

describe('Redis whose memory is full', () => {
  it('refuses new jobs with advice, lets running ones finish, and takes new ones when there is room', async () => {
    const server = await ownServer('--maxmemory-policy', 'noeviction');
    const started = await start({ redis: server.url, queues: { default: { concurrency: 3 } } });
    const { queue, health, lines } = started;
    const held = await queue.enqueue(hold());
    const waiting = await queue.enqueueMany(Array.from({ length: 6 }, () => hold()));
    await eventually(() => expect(WorkTasks.ran).toHaveLength(3));
    await server.admin.config('SET', 'maxmemory', '1mb');

    const { error, took } = await refusal(queue);
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: false, jobId: expect.any(String) as string });
    expect(error.message).toMatch(/OOM.*Its memory is full: raise maxmemory.*it will never run/s);
    expect(took).toBeLessThan(1_000);
    expect(await health.ready()).toMatchObject({ ready: false, problems: [expect.stringMatching(/memory is full/)] });
    WorkTasks.gate.resolve();
    expect(await Promise.all([held, ...waiting].map((job) => job.result({ timeout: '10s' })))).toEqual(
      Array.from({ length: 7 }, () => 'held'),
    );
    expect((await refusal(queue)).error).toMatchObject({ sent: false });

    await server.admin.config('SET', 'maxmemory', '0');
    expect(await firstJobDone(started)).toBeLessThan(5_000);
    await eventually(async () => expect((await health.ready()).ready).toBe(true));
    expect(WorkTasks.ran).not.toContain(-2);
    expect(lines).toEqual([
      expect.stringMatching(/^Redis refuses its work \(OOM .*Its memory is full/),
      expect.stringMatching(/^Redis is back/),
    ]);
  });
});

describe('Redis that stands still for seconds', () => {
  it.each([
    ['asleep', [], (admin: Redis) => admin.call('DEBUG', 'SLEEP', '3')],
    [
      'in a script',
      ['--busy-reply-threshold', '100'],
      (admin: Redis) =>
        admin.eval(
          `local from = redis.call('TIME')[1]
           repeat local now = redis.call('TIME')[1] until now - from >= 2`,
          0,
        ),
    ],
  ])('%s: deadlines hold, nothing runs twice, and all goes on', async (_how, settings, stall) => {
    const server = await ownServer('--enable-debug-command', 'yes', ...settings);
    const started = await start({ redis: server.url, queues: { default: { concurrency: 2 } } });
    const { queue, lines } = started;
    const held = await queue.enqueue(hold());
    const stored = await queue.enqueueMany(
      Array.from({ length: 20 }, (_, index) => count(10 + index)),
      { delay: '1s' },
    );
    await eventually(() => expect(WorkTasks.ran).toContain(-1));
    const stalled = stall(server.admin);
    await sleep(100);
    const { error, took } = await refusal(queue);
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: expect.any(Boolean) as boolean });
    expect(took).toBeLessThan(2_300);
    WorkTasks.gate.resolve();
    await stalled;
    const backIn = await firstJobDone(started);
    report('stalled: first job done after its end', backIn);
    expect(backIn).toBeLessThan(5_000);
    expect(await held.result({ timeout: '10s' })).toBe('held');
    expect(await Promise.all(stored.map((job) => job.result({ timeout: '10s' })))).toHaveLength(20);
    const infos = await Promise.all([held, ...stored].map((job) => job.info()));
    expect(infos.map((info) => info!.runs.length)).toEqual(infos.map(() => 1));
    expect(WorkTasks.ran.filter((number) => number >= 10 || number === -1)).toHaveLength(21);
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(4);
  });
});

describe('10,000 calls that are refused', () => {
  it('leave nothing in memory, no handle, and nothing that runs later', async () => {
    const server = await ownServer(...AOF);
    const started = await start({ redis: server.url, enqueueTimeout: '300ms' });
    await server.kill();
    await refusal(started.queue);
    const refuse = async (calls: number): Promise<void> => {
      const refusals = await Promise.all(Array.from({ length: calls }, () => refusal(started.queue)));
      for (const { error } of refusals) expect(error).toMatchObject({ sent: false });
    };
    await refuse(1_000);
    const handles = process.getActiveResourcesInfo().length;
    const heap = heapUsed();
    for (let round = 0; round < 9; round++) await refuse(1_000);
    const kept = heapUsed() - heap;
    console.log(`after 9,000 more: heap ${Math.round(kept / 1_024)} kB, handles ${handles}`);
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles + 3);
    // 200 bytes a call; a kept one takes more than 1,000.
    expect(kept).toBeLessThan(9_000 * 200);
    server.start();
    expect(await firstJobDone(started)).toBeLessThan(5_000);
    expect(WorkTasks.ran).toEqual([-3]);
    expect(started.lines).toEqual(AWAY_AND_BACK);
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  for (let round = 0; round < 3; round++) collectGarbage();
  return process.memoryUsage().heapUsed;
}
