import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, inject, it } from 'vitest';
import {
  Ctx,
  DuplicateJobError,
  Task,
  task,
  TaskAdmin,
  TaskCancelledError,
  TaskContext,
  TaskExpiredError,
  TaskQueue,
  TasksModule,
  type EnqueueOptions,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { ENGINES } from '../support/engines.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { freshPrefix } from '../support/redis.js';

/** A task by its name only, as another application would call it. */
const limitedByName = task<[tenant: string, name: string], void>('OrderTasks.limited');

@Injectable()
class OrderTasks {
  readonly started: string[] = [];
  readonly aborts: unknown[] = [];
  readonly alerts: string[] = [];
  isHealed = false;
  running = 0;
  mostRunning = 0;
  private readonly gates = new Map<string, Deferred<void>>();

  open(name: string): void {
    this.gate(name).resolve();
  }

  openAll(): void {
    for (const gate of this.gates.values()) gate.resolve();
  }

  /** Goes on until the test opens its gate, or its signal is aborted. */
  @Task({ attempts: 1 })
  async hold(name: string, @Ctx() context: TaskContext): Promise<string> {
    this.started.push(name);
    await Promise.race([this.gate(name).promise, this.abortOf(context.signal)]);
    return name;
  }

  /** Ignores its signal. */
  @Task({ attempts: 1 })
  async stubborn(name: string): Promise<string> {
    this.started.push(name);
    await this.gate(name).promise;
    return name;
  }

  @Task()
  note(name: string): string {
    this.started.push(name);
    return name;
  }

  @Task({ unique: { until: 'finished' } })
  single(order: { id: number; note?: string }): number {
    return order.id;
  }

  @Task({ attempts: 1 })
  failing(name: string): string {
    if (!this.isHealed) throw new RangeError(`No ${name} yet.`);
    return name;
  }

  @Task({
    attempts: 1,
    onFailed: ({ id, args, error }) => task(OrderTasks).alert(`${id} ${String(args[0])}: ${error.message}`),
  })
  followed(name: string): void {
    throw new RangeError(`No ${name}.`);
  }

  @Task()
  alert(text: string): void {
    this.alerts.push(text);
  }

  @Task({ concurrency: { max: 1, key: (tenant: string) => tenant } })
  async limited(tenant: string, name: string): Promise<void> {
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    this.started.push(`${tenant} ${name}`);
    await this.gate(name).promise;
    this.running--;
  }

  @Task({ rateLimit: { max: 2, per: '500ms' } })
  rated(): void {}

  private gate(name: string): Deferred<void> {
    const gate = this.gates.get(name) ?? deferred();
    this.gates.set(name, gate);
    return gate;
  }

  private abortOf(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.aborts.push(signal.reason);
        reject(signal.reason as Error);
      });
    });
  }
}

const orders = task(OrderTasks);
const opened: INestApplication[] = [];
const instances: OrderTasks[] = [];

afterEach(async () => {
  for (const tasks of instances.splice(0)) tasks.openAll();
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

async function create(options: TasksModuleOptions, providers: Type[]): Promise<INestApplication> {
  const testing = await Test.createTestingModule({
    imports: [TasksModule.forRoot({ queues: { mail: { concurrency: 1 } }, shutdownGrace: '100ms', ...options })],
    providers,
  }).compile();
  const app = testing.createNestApplication({ logger: false });
  opened.push(app);
  return app.init();
}

async function start(options: TasksModuleOptions) {
  const app = await create(options, [OrderTasks]);
  const tasks = app.get(OrderTasks);
  instances.push(tasks);
  return { queue: app.get(TaskQueue), admin: app.get(TaskAdmin), tasks };
}

const failureOf = (job: JobHandle): Promise<unknown> =>
  job.result({ timeout: '10s' }).then(
    () => expect.unreachable('It has a result.'),
    (error: unknown) => error,
  );

describe.each(ENGINES)('A unique job on the %s engine', (_name, engine) => {
  it('answers for later calls with the same arguments, in whatever order their fields are', async () => {
    const { queue } = await start({ ...engine(), worker: false });
    const first = await queue.enqueue(orders.single({ id: 1, note: 'a' }));
    const second = await queue.enqueue(orders.single({ note: 'a', id: 1 }));
    const other = await queue.enqueue(orders.single({ id: 2 }));
    expect(second).toMatchObject({ id: first.id, deduplicated: true });
    expect(other).toMatchObject({ deduplicated: false });
    expect(await first.cancel()).toBe(true);
    expect(await queue.enqueue(orders.single({ id: 1, note: 'a' }))).toMatchObject({ deduplicated: false });
  });

  it('frees its key when it has ended', async () => {
    const { queue } = await start(engine());
    const first = await queue.enqueue(orders.single({ id: 1 }));
    await first.result({ timeout: '10s' });
    const second = await queue.enqueue(orders.single({ id: 1 }));
    expect(second.deduplicated).toBe(false);
    expect(await second.result({ timeout: '10s' })).toBe(1);
  });

  it('can keep its key for a time, whatever becomes of it', async () => {
    const { queue } = await start(engine());
    const options: EnqueueOptions = { unique: { until: '1h', key: () => 'hourly' } };
    const first = await queue.enqueue(orders.note('a'), options);
    await first.result({ timeout: '10s' });
    expect(await queue.enqueue(orders.note('b'), options)).toMatchObject({ id: first.id, deduplicated: true });
  });

  it('can refuse later calls, with the id of the job that has the key', async () => {
    const { queue, admin } = await start({ ...engine(), worker: false });
    const options: EnqueueOptions = { unique: { until: 'finished', onConflict: 'reject' } };
    const first = await queue.enqueue(orders.note('a'), options);
    const refusal: unknown = await queue
      .enqueueMany([orders.note('b'), orders.note('a')], options)
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DuplicateJobError);
    expect(refusal).toMatchObject({ code: 'TASKS_DUPLICATE_JOB', jobId: first.id });
    expect(await admin.counts()).toMatchObject({ waiting: 1 });
  });

  it('can give way to the latest call, so that a burst of calls runs once', async () => {
    const { queue, tasks } = await start(engine());
    const options: EnqueueOptions = {
      delay: '300ms',
      unique: { key: () => 'burst', until: 'started', onConflict: 'replace' },
    };
    const jobs: JobHandle<string>[] = [];
    for (const name of ['a', 'b', 'c']) jobs.push(await queue.enqueue(orders.note(name), options));
    expect(await jobs[2].result({ timeout: '10s' })).toBe('c');
    expect(tasks.started).toEqual(['c']);
    expect(await Promise.all(jobs.map((job) => job.state()))).toEqual(['cancelled', 'cancelled', 'completed']);
  });

  it('that runs is followed by the latest of the calls that came meanwhile', async () => {
    const { queue, tasks } = await start(engine());
    const options: EnqueueOptions = { unique: { key: () => 'sync', until: 'finished', onConflict: 'replace' } };
    const running = await queue.enqueue(orders.hold('a'), options);
    await eventually(() => expect(tasks.started).toEqual(['a']));
    const skipped = await queue.enqueue(orders.hold('b'), options);
    expect(await skipped.info()).toMatchObject({ state: 'waiting', waitingFor: 'concurrency' });
    const next = await queue.enqueue(orders.hold('c'), options);
    expect(await skipped.state()).toBe('cancelled');
    tasks.open('a');
    tasks.open('c');
    expect(await running.result({ timeout: '10s' })).toBe('a');
    expect(await next.result({ timeout: '10s' })).toBe('c');
    expect(tasks.started).toEqual(['a', 'c']);
  });
});

describe.each(ENGINES)('Cancelling on the %s engine', (_name, engine) => {
  it('a waiting job lets it never start', async () => {
    const { queue, tasks } = await start(engine());
    await queue.pause('default');
    const job = await queue.enqueue(orders.note('a'));
    const failure = failureOf(job);
    expect(await job.cancel()).toBe(true);
    expect(await failure).toBeInstanceOf(TaskCancelledError);
    expect(await job.cancel()).toBe(false);
    await queue.resume('default');
    await (await queue.enqueue(orders.note('b'))).result({ timeout: '10s' });
    expect(tasks.started).toEqual(['b']);
    expect(await job.info()).toMatchObject({ state: 'cancelled', runs: [], finishedAt: expect.any(Date) as Date });
  });

  it('a running job aborts its signal and ends the wait for its result', async () => {
    const { queue, tasks } = await start(engine());
    const job = await queue.enqueue(orders.hold('a'));
    await eventually(() => expect(tasks.started).toEqual(['a']));
    const failure = failureOf(job);
    expect(await job.cancel()).toBe(true);
    expect(await failure).toBeInstanceOf(TaskCancelledError);
    await eventually(() => expect(tasks.aborts).toEqual([expect.any(TaskCancelledError)]));
    expect(await job.info()).toMatchObject({ state: 'cancelled', runs: [{ attempt: 1, outcome: 'cancelled' }] });
  });

  it('a task that ignores its signal drops its result, and its slot is free only when it ends', async () => {
    const { queue, tasks } = await start(engine());
    const job = await queue.enqueue(orders.stubborn('a'), { queue: 'mail' });
    await eventually(() => expect(tasks.started).toEqual(['a']));
    const failure = failureOf(job);
    expect(await job.cancel()).toBe(true);
    expect(await failure).toBeInstanceOf(TaskCancelledError);
    const next = await queue.enqueue(orders.note('b'), { queue: 'mail' });
    await (await queue.enqueue(orders.note('elsewhere'))).result({ timeout: '10s' });
    expect(tasks.started).toEqual(['a', 'elsewhere']);
    tasks.open('a');
    expect(await next.result({ timeout: '10s' })).toBe('b');
    expect(await job.state()).toBe('cancelled');
  });

  it('by tag reaches waiting, delayed and running jobs, and no others', async () => {
    const { queue, tasks, admin } = await start(engine());
    const tags = ['import'];
    const running = await queue.enqueue(orders.hold('a'), { tags });
    await eventually(() => expect(tasks.started).toEqual(['a']));
    await queue.pause('default');
    const delayed = await queue.enqueue(orders.note('b'), { tags: [...tags, 'late'], delay: '1h' });
    const waiting = await queue.enqueue(orders.note('c').with({ tags }));
    const other = await queue.enqueue(orders.note('d'), { tags: ['export'] });
    expect(await queue.cancel({ tag: 'import' })).toBe(3);
    expect(await queue.cancel({ tag: 'import' })).toBe(0);
    for (const job of [running, delayed, waiting]) expect(await job.state()).toBe('cancelled');
    expect(await other.state()).toBe('waiting');
    const { jobs } = await admin.list({ tag: 'late' });
    expect(jobs).toMatchObject([{ id: delayed.id, tags: ['import', 'late'], state: 'cancelled' }]);
  });

  it('is undone by retry()', async () => {
    const { queue } = await start(engine());
    const job = await queue.enqueue(orders.note('a'), { delay: '1h' });
    await job.cancel();
    expect(await job.retry()).toBe(true);
    expect(await job.result({ timeout: '10s' })).toBe('a');
    expect(await job.retry()).toBe(false);
  });
});

describe.each(ENGINES)('A job on the %s engine', (_name, engine) => {
  it('expires when it was not started in time, and starts afresh without expiry', async () => {
    const { queue } = await start({ ...engine(), defaults: { expires: '200ms' } });
    await queue.pause('default');
    const job = await queue.enqueue(orders.note('a'));
    const lasting = await queue.enqueue(orders.note('b'), { expires: '1h' });
    expect(await failureOf(job)).toBeInstanceOf(TaskExpiredError);
    expect(await job.info()).toMatchObject({ state: 'expired', runs: [], finishedAt: expect.any(Date) as Date });
    expect(await lasting.state()).toBe('waiting');
    expect(await job.retry()).toBe(true);
    await queue.resume('default');
    expect(await job.result({ timeout: '10s' })).toBe('a');
  });

  it('starts before those of a lower priority', async () => {
    const { queue, tasks } = await start(engine());
    await queue.pause('mail');
    const jobs: JobHandle<string>[] = [];
    for (const [name, priority] of [['low', 'low'], ['normal'], ['high', 'high'], ['high too', 'high']] as const) {
      jobs.push(await queue.enqueue(orders.note(name), { queue: 'mail', priority }));
    }
    expect((await jobs[0].info())?.priority).toBe('low');
    await queue.resume('mail');
    await Promise.all(jobs.map((job) => job.result({ timeout: '10s' })));
    expect(tasks.started).toEqual(['high', 'high too', 'normal', 'low']);
  });

  it('is followed by the call that onFailed makes of its failure, once', async () => {
    const { queue, tasks } = await start(engine());
    const job = await queue.enqueue(orders.followed('luck'));
    await failureOf(job);
    await queue.job(`${job.id}:failed`).result({ timeout: '10s' });
    expect(tasks.alerts).toEqual([`${job.id} luck: No luck.`]);
  });
});

describe.each(ENGINES)('Limits on the %s engine', (_name, engine) => {
  it('let at most so many jobs of a key run at a time, and hold up no others', async () => {
    const { queue, tasks } = await start(engine());
    const [first, second] = await queue.enqueueMany([orders.limited('a', '1'), orders.limited('a', '2')]);
    const other = await queue.enqueue(orders.limited('b', '3'));
    await eventually(() => expect(tasks.started.toSorted()).toEqual(['a 1', 'b 3']));
    expect(await second.info()).toMatchObject({ state: 'waiting', waitingFor: 'concurrency', runs: [] });
    tasks.open('1');
    await eventually(() => expect(tasks.started).toContain('a 2'));
    tasks.openAll();
    await Promise.all([first, second, other].map((job) => job.result({ timeout: '10s' })));
    expect(tasks.mostRunning).toBe(2);
  });

  it('let no more jobs start in any stretch of time', async () => {
    const { queue } = await start(engine());
    const jobs = await queue.enqueueMany(Array.from({ length: 5 }, () => orders.rated()));
    await eventually(async () => expect(await jobs[4].info()).toMatchObject({ waitingFor: 'rate', state: 'waiting' }));
    await Promise.all(jobs.map((job) => job.result({ timeout: '10s' })));
    const infos = await Promise.all(jobs.map((job) => job.info()));
    const starts = infos.map((info) => info!.startedAt!.getTime()).toSorted((one, other) => one - other);
    for (const [index, at] of starts.slice(2).entries()) expect(at - starts[index]).toBeGreaterThanOrEqual(500);
  });
});

describe.each(ENGINES)('TaskAdmin on the %s engine', (_name, engine) => {
  async function withFailures(count: number) {
    const app = await start(engine());
    await app.queue.enqueueMany(
      Array.from({ length: count }, (_, index) => orders.failing(index % 2 ? 'wheat' : 'rye')),
      { tags: ['harvest'] },
    );
    await eventually(async () => expect(await app.admin.counts()).toMatchObject({ failed: count }), {
      timeout: 15_000,
    });
    return app;
  }

  it('lists what matches, page by page, each job once', async () => {
    const { admin, queue } = await withFailures(10);
    await queue.enqueue(orders.note('rye'), { queue: 'mail', delay: '1h' });
    const all: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await admin.list({ text: 'RYE', limit: 2, cursor });
      expect(page.jobs.length).toBeLessThanOrEqual(2);
      all.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor);
    expect(new Set(all).size).toBe(6);
    expect(all).toHaveLength(6);
    const { jobs } = await admin.list({ state: 'failed', task: 'OrderTasks.failing', text: 'no wheat yet' });
    expect(jobs).toHaveLength(5);
    expect(jobs[0]).toMatchObject({
      state: 'failed',
      args: ['wheat'],
      tags: ['harvest'],
      error: { name: 'RangeError', message: 'No wheat yet.' },
      runs: [{ attempt: 1, outcome: 'failed' }],
    });
  });

  it('starts failed jobs afresh and keeps their earlier runs', async () => {
    const { admin, tasks, queue } = await withFailures(4);
    const { jobs } = await admin.list({ text: 'rye' });
    tasks.isHealed = true;
    expect(await admin.retry({ state: 'failed', text: 'rye' })).toBe(2);
    const job = queue.job<string>(jobs[0].id);
    expect(await job.result({ timeout: '10s' })).toBe('rye');
    expect((await job.info())?.runs).toMatchObject([
      { attempt: 1, outcome: 'failed' },
      { attempt: 1, outcome: 'completed' },
    ]);
    expect(await admin.counts()).toMatchObject({ failed: 2 });
    expect(await admin.retry({ state: 'expired' })).toBe(0);
  });

  it('removes what matches', async () => {
    const { admin, queue } = await withFailures(4);
    const { jobs } = await admin.list({ text: 'rye' });
    expect(await admin.remove({ text: 'rye', state: 'failed' })).toBe(2);
    expect(await queue.job(jobs[0].id).state()).toBe('unknown');
    expect(await admin.remove(jobs[0].id)).toBe(0);
    expect(await admin.counts()).toMatchObject({ failed: 2 });
  });

  it('moves what matches to another queue, where it runs', async () => {
    const { admin, queue } = await start({ ...engine(), worker: { queues: ['mail'] } });
    const tags = ['misplaced'];
    const jobs = await queue.enqueueMany([orders.note('a'), orders.note('b')], { tags });
    await queue.enqueue(orders.note('c'));
    expect(await admin.move({ tag: 'misplaced' }, 'mail')).toBe(2);
    const moved = queue.job<string>(jobs[1].id);
    expect(await moved.result({ timeout: '10s' })).toBe('b');
    expect(await moved.info()).toMatchObject({ queue: 'mail', tags });
    expect(await admin.counts('default')).toMatchObject({ waiting: 1 });
  });

  it('retries hundreds of jobs in batches, tells how far it is, stops when told and goes on later', async () => {
    const { admin, queue, tasks } = await withFailures(300);
    await queue.pause('default');
    const controller = new AbortController();
    const progress: { done: number; total: number }[] = [];
    const stopped = admin.retry(
      { state: 'failed' },
      {
        signal: controller.signal,
        onProgress: (one) => {
          progress.push(one);
          controller.abort(new Error('enough for today'));
        },
      },
    );
    await expect(stopped).rejects.toThrow('enough for today');
    expect(progress).toEqual([{ done: 100, total: 300 }]);
    expect(await admin.counts()).toMatchObject({ waiting: 100, failed: 200 });

    const onProgress = (one: { done: number; total: number }): void => void progress.push(one);
    expect(await admin.retry({ state: 'failed' }, { onProgress })).toBe(200);
    expect(progress.slice(1)).toEqual([100, 200].map((done) => ({ done, total: 200 })));
    tasks.isHealed = true;
    await queue.resume('default');
    await eventually(async () => expect(await admin.counts()).toMatchObject({ completed: 300, failed: 0 }), {
      timeout: 15_000,
    });
  });
});

describe('Several processes on one Redis', () => {
  const shared = () => ({ redis: inject('redisUrl'), prefix: freshPrefix() });

  it('keep the limits of a task together, for jobs of a caller that does not know them too', async () => {
    const options = shared();
    const apps = [await start(options), await start(options)];
    const stranger = (await create({ ...options, worker: false }, [])).get(TaskQueue);
    const names = Array.from({ length: 5 }, (_, index) => String(index));
    const jobs = [
      ...(await stranger.enqueueMany(names.map((name) => limitedByName('tenant', name)))),
      ...(await apps[0].queue.enqueueMany(names.map((name) => orders.limited('tenant', `own-${name}`)))),
    ];
    const done = Promise.all(jobs.map((job) => job.result({ timeout: '15s' })));
    const seen = new Set<string>();
    for (let round = 0; round < jobs.length; round++) {
      const running = await eventually(() => {
        const started = apps.flatMap(({ tasks }) => tasks.started).filter((name) => !seen.has(name));
        expect(started.length).toBeGreaterThan(0);
        return started;
      });
      expect(running).toHaveLength(1);
      seen.add(running[0]);
      for (const { tasks } of apps) tasks.open(running[0].split(' ')[1]);
    }
    await done;
    expect(Math.max(...apps.map(({ tasks }) => tasks.mostRunning))).toBe(1);
  });

  it('cancel a job wherever it runs', async () => {
    const options = shared();
    const { tasks } = await start(options);
    const { queue } = await start({ ...options, worker: false });
    const job = await queue.enqueue(orders.hold('a'), { tags: ['far'] });
    await eventually(() => expect(tasks.started).toEqual(['a']));
    const failure = failureOf(job);
    expect(await queue.cancel({ tag: 'far' })).toBe(1);
    expect(await failure).toBeInstanceOf(TaskCancelledError);
    await eventually(() => expect(tasks.aborts).toEqual([expect.any(TaskCancelledError)]), { timeout: 1_000 });
  });
});
