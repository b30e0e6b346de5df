import { afterEach, beforeEach, expect } from 'vitest';
import type {
  ActiveJob,
  ActiveRun,
  Engine,
  EngineWorker,
  NewJob,
  Settlement,
  Slot,
  StartRun,
} from '../../lib/contracts/engine.js';
import type { TasksError } from '../../lib/contracts/errors.js';
import type { JobAddress, JobError, JobRecord, JobState } from '../../lib/contracts/job.js';
import type { FailedRetention, Outcome } from '../../lib/contracts/outcome.js';
import { deferred, eventually } from '../support/eventually.js';

/** One engine for one test, with nothing in it. */
export interface EngineHarness {
  engine: Engine;
  /** Closes the engine, if the test has not, and removes what it stored. */
  dispose(): Promise<void>;
}

export type CreateEngine = (options: { queues: readonly string[] }) => Promise<EngineHarness>;

/** How long finished jobs are kept where a test does not care. */
export const KEEP = 60_000;
const KEEP_FAILED: FailedRetention = { age: KEEP, count: 1_000 };

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

/** A run that the test ends when it wants to. */
export class HeldRun implements ActiveRun {
  private readonly told = deferred<Outcome>();
  private readonly over = deferred();
  readonly outcome = this.told.promise;
  readonly ended?: Promise<void>;
  aborted?: TasksError;

  constructor(
    readonly job: ActiveJob,
    readonly slot: Slot,
    outlivesOutcome: boolean,
  ) {
    if (outlivesOutcome) this.ended = this.over.promise;
  }

  tell(outcome: Outcome): void {
    this.told.resolve(outcome);
  }

  end(): void {
    this.over.resolve();
  }

  abort(reason: TasksError): void {
    this.aborted = reason;
  }
}

/** What the tests of one engine stand on. */
export class Scene {
  harness!: EngineHarness;
  private workers: EngineWorker[] = [];
  private held: HeldRun[] = [];
  private ids = 0;

  constructor(create: CreateEngine) {
    beforeEach(async () => {
      this.workers = [];
      this.held = [];
      this.harness = await create({ queues: ['default', 'mail'] });
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

  /** Lets a job of the other queue come and go: whatever the engine was about to do has had the time for it. */
  async roundTrip(): Promise<void> {
    const { worker } = this.answer([completed()], { queue: 'mail' });
    const job = await this.enqueue({ queue: 'mail' });
    await this.settlement(job);
    await worker.stop();
  }
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
