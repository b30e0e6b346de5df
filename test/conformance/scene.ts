import { afterEach, beforeEach, expect } from 'vitest';
import type {
  ActiveJob,
  ActiveRun,
  Engine,
  EngineWorker,
  JobQuery,
  KnownState,
  NewJob,
  Settlement,
  StartRun,
} from '../../lib/contracts/engine.js';
import type { JobAddress, JobError, JobRecord, JobState, WaitingFor } from '../../lib/contracts/job.js';
import type { FailedRetention, Outcome } from '../../lib/contracts/outcome.js';
import { eventually } from '../support/eventually.js';
import { HeldRun } from './held-run.js';

/** One engine for one test, with nothing in it. */
export interface EngineHarness {
  engine: Engine;
  /** Closes the engine, if the test has not, and removes what it stored. */
  dispose(): Promise<void>;
}

export type CreateEngine = (options: {
  queues: readonly string[];
  keepStopped: FailedRetention;
}) => Promise<EngineHarness>;

/** How long finished jobs are kept where a test does not care. */
export const KEEP = 60_000;
const KEEP_FAILED: FailedRetention = { age: KEEP, count: 1_000 };
const QUEUES = ['default', 'mail'];

export const NO_JOBS: Readonly<Record<KnownState, number>> = {
  waiting: 0,
  delayed: 0,
  active: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
};

export const boom: JobError = {
  name: 'RangeError',
  message: 'Boom.',
  stack: 'RangeError: Boom.\n    at work',
  code: 'E_BOOM',
};

export const completed = (result?: string, keep = KEEP): Outcome => ({
  type: 'completed',
  keep,
  ...(result !== undefined && { result }),
});
export const failed = (error = boom, keep = KEEP_FAILED): Outcome => ({ type: 'failed', error, keep });
export const retry = (delay = 0, error = boom): Outcome => ({ type: 'retry', delay, error });
export const snooze = (delay = 0): Outcome => ({ type: 'snooze', delay, because: 'snooze' });
export const shutdown = (delay = 0): Outcome => ({ type: 'snooze', delay, because: 'shutdown' });
export const declined = (delay = 0): Outcome => ({ type: 'declined', delay });

/** What the tests of one engine stand on. */
export class Scene {
  harness!: EngineHarness;
  private workers: EngineWorker[] = [];
  private held: HeldRun[] = [];
  private ids = 0;

  constructor(private readonly create: CreateEngine) {
    beforeEach(async () => {
      this.workers = [];
      this.held = [];
      this.harness = await create({ queues: QUEUES, keepStopped: KEEP_FAILED });
    });
    afterEach(async () => {
      const stopping = this.workers.map((worker) => worker.stop());
      for (const run of this.held) {
        run.tell(completed());
        run.end();
      }
      await Promise.all(stopping);
      await this.harness.dispose();
    });
  }

  get engine(): Engine {
    return this.harness.engine;
  }

  /** Goes on with another engine, which keeps cancelled and expired jobs like this. */
  async keepStopped(keepStopped: FailedRetention): Promise<void> {
    await this.harness.dispose();
    this.harness = await this.create({ queues: QUEUES, keepStopped });
  }

  job(fields: Partial<NewJob> = {}): NewJob {
    return {
      id: `job-${++this.ids}`,
      queue: 'default',
      task: 'Mail.send',
      args: '[]',
      options: {},
      enqueuedAt: Date.now(),
      ...fields,
    };
  }

  jobs(count: number, fields: Partial<NewJob> = {}): NewJob[] {
    return Array.from({ length: count }, () => this.job(fields));
  }

  async enqueue(fields: Partial<NewJob> = {}): Promise<NewJob> {
    const job = this.job(fields);
    await this.engine.enqueue([job]);
    return job;
  }

  work(start: StartRun, { queue = 'default', concurrency = 10, worker = 'host:1' } = {}): EngineWorker {
    const engineWorker = this.engine.work(queue, { concurrency, worker }, start);
    this.workers.push(engineWorker);
    return engineWorker;
  }

  /** Answers each run of the queue with the next of these outcomes, the last one from then on. */
  answer(outcomes: readonly Outcome[], options: { queue?: string; concurrency?: number; worker?: string } = {}) {
    const started: ActiveJob[] = [];
    const worker = this.work((job) => {
      started.push(job);
      return running(Promise.resolve(outcomes[Math.min(started.length, outcomes.length) - 1]));
    }, options);
    return { started, worker };
  }

  /** Begins runs and leaves them going. */
  hold(options: { queue?: string; concurrency?: number; worker?: string; outliveOutcome?: boolean } = {}) {
    const runs: HeldRun[] = [];
    const worker = this.work((job, slot) => {
      const run = new HeldRun(job, slot, options.outliveOutcome ?? false);
      runs.push(run);
      this.held.push(run);
      return run;
    }, options);
    const started = (count: number): Promise<HeldRun> =>
      eventually(() => {
        expect(runs).toHaveLength(count);
        return runs[count - 1];
      });
    return { runs, worker, started };
  }

  /** Brings a new job into this state. What waits in its queue may run meanwhile; an `active` one keeps its worker full. */
  async jobIn(state: KnownState, fields: Partial<NewJob> = {}): Promise<NewJob> {
    switch (state) {
      case 'waiting':
        return this.enqueue(fields);
      case 'delayed':
        return this.enqueue({ ...fields, dueAt: Date.now() + KEEP });
      case 'active': {
        const job = await this.enqueue(fields);
        this.hold({ queue: job.queue, concurrency: 1 });
        await this.becomes(job, 'active');
        return job;
      }
      case 'completed':
      case 'failed': {
        const job = await this.enqueue(fields);
        const { worker } = this.answer([state === 'completed' ? completed('1') : failed()], { queue: job.queue });
        await this.becomes(job, state);
        await worker.stop();
        return job;
      }
      case 'cancelled': {
        const job = await this.enqueue(fields);
        expect(await this.engine.cancel([job])).toEqual([true]);
        return job;
      }
      case 'expired':
        return this.enqueue({ ...fields, rules: { ...fields.rules, expiresAt: Date.now() - 1 } });
    }
  }

  /** One new job in each state. */
  async oneOfEach(fields: Partial<NewJob> = {}): Promise<Record<KnownState, NewJob>> {
    return {
      completed: await this.jobIn('completed', fields),
      failed: await this.jobIn('failed', fields),
      cancelled: await this.jobIn('cancelled', fields),
      expired: await this.jobIn('expired', fields),
      active: await this.jobIn('active', fields),
      waiting: await this.jobIn('waiting', fields),
      delayed: await this.jobIn('delayed', fields),
    };
  }

  /** A run that has the only place of its key, and jobs that are parked until it lets go. */
  async park(count: number, fields: Partial<NewJob> = {}) {
    const concurrency = { key: 'Mail.send:parked', max: 1 };
    const held = this.hold();
    await this.enqueue({ rules: { concurrency } });
    const holder = await held.started(1);
    const parked = this.jobs(count, { ...fields, rules: { ...fields.rules, concurrency } });
    await this.engine.enqueue(parked);
    for (const job of parked) await this.waitsFor(job, 'concurrency');
    return { held, holder, parked };
  }

  /** Resolves when a watched job ends. */
  settlement(job: JobAddress): Promise<Settlement> {
    return new Promise((resolve) => this.engine.watch(address(job), { settled: resolve }));
  }

  async find(job: JobAddress): Promise<JobRecord | undefined> {
    const [record] = await this.engine.find([address(job)]);
    return record;
  }

  async known(job: JobAddress): Promise<JobRecord> {
    const record = await this.find(job);
    if (!record) throw new Error(`The engine does not know job ${job.id}.`);
    return record;
  }

  async becomes(job: JobAddress, state: JobState): Promise<void> {
    await eventually(async () => expect(await this.engine.state(address(job))).toBe(state));
  }

  async waitsFor(job: JobAddress, waitingFor: WaitingFor): Promise<void> {
    await eventually(async () => expect(await this.known(job)).toMatchObject({ state: 'waiting', waitingFor }));
  }

  /** Resolves when an instant, in milliseconds since the epoch, is over. */
  async passed(instant: number): Promise<void> {
    await eventually(() => expect(Date.now()).toBeGreaterThan(instant));
  }

  /** Every page of a list, one after the other. */
  async list(query: Partial<JobQuery> = {}): Promise<readonly JobRecord[]> {
    const found: JobRecord[] = [];
    const asked: JobQuery = { queue: 'default', limit: 100, ...query };
    for (let pages = 0; pages < 1_000; pages++) {
      const { jobs, cursor } = await this.engine.list(asked);
      expect(jobs.length).toBeLessThanOrEqual(asked.limit);
      found.push(...jobs);
      if (cursor === undefined) return found;
      asked.cursor = cursor;
    }
    throw new Error('The list has more than 1,000 pages.');
  }

  /** Expects so many jobs of a queue in each state, and none in those not named; its lists have to say the same. */
  async expectCounts(expected: Partial<Record<KnownState, number>>, queue = 'default'): Promise<void> {
    const numbers = { ...NO_JOBS, ...expected };
    expect(await this.engine.counts(queue)).toEqual(numbers);
    const listed = { ...NO_JOBS };
    for (const state of Object.keys(listed) as KnownState[]) listed[state] = (await this.list({ queue, state })).length;
    expect(listed).toEqual(numbers);
  }

  /** Lets a job of the other queue come and go: whatever the engine was about to do has had the time for it. */
  async roundTrip(): Promise<void> {
    const { worker } = this.answer([completed()], { queue: 'mail' });
    const job = await this.enqueue({ queue: 'mail' });
    await this.settlement(job);
    await worker.stop();
  }
}

/** Blocks the process until an instant is over, so that no timer of an engine has rung for it yet. */
export function blockPast(instant: number): void {
  while (Date.now() <= instant);
}

export function running(outcome: Promise<Outcome>): ActiveRun {
  return { outcome, abort: () => undefined };
}

/** A job's address and nothing else of it. */
export function address({ id, queue }: JobAddress): JobAddress {
  return queue === undefined ? { id } : { id, queue };
}

export function idsOf(jobs: readonly { id: string }[]): string[] {
  return jobs.map((job) => job.id);
}
