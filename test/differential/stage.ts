import Bull from 'bull';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import type { JobError } from '../../lib/contracts/job.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, redisUrl } from '../support/redis.js';
import { recordEvents, snapshot, type EventRecord, type Snapshot } from './recording.js';

export const QUEUE = 'mail';
export const LOCK_DURATION = 30_000;
const KEEP = 60_000;

export interface StagedJob {
  id: string;
  /** A JSON list, so that it is stored the same as arguments and as plain data. */
  data?: unknown[];
  delay?: number;
  /** When it was enqueued, in ms from the start of the test; absent: now. */
  at?: number;
  attempts?: number;
  backoff?: number;
  /** False: nothing is kept of the completed job. */
  keep?: false;
  /** How many failed jobs are kept. */
  keepFailed?: number;
  /** What only a plain Bull producer can ask for. */
  plain?: Bull.JobOptions;
}

export interface StagedRun {
  id: string;
  /** How often the job was started here, this time included. */
  number: number;
  progress(value: unknown): Promise<void>;
  log(line: string): Promise<void>;
}

export type Answer = { result?: unknown } | { error: JobError };
export type Handler = (run: StagedRun) => Answer | Promise<Answer>;
export interface WorkerOptions {
  concurrency?: number;
  stalledInterval?: number;
}

export const boom: JobError = { name: 'RangeError', message: 'Boom.', stack: 'RangeError: Boom.\n    at work' };

/** Whose loop works the queue, and who adds the jobs. */
export type Side = 'bull' | 'ours';
export type Producer = 'plain' | 'engine';

/** One side of a comparison: a queue under a prefix of its own, its jobs, its workers and all that is seen of them. */
export abstract class Stage {
  readonly prefix = freshPrefix();
  readonly base = `${this.prefix}:${QUEUE}:`;
  readonly redis = new Redis(redisUrl());
  /** For what a plain producer or an operator does. */
  readonly queue = new Bull(QUEUE, redisUrl(), { prefix: this.prefix });
  /** Ids in the order in which they were started. */
  readonly started: string[] = [];
  readonly captures: Record<string, Snapshot> = {};
  readonly since = Date.now();
  events!: EventRecord;
  /** What lets go of runs that a scenario holds for ever. */
  readonly onClose: (() => void)[] = [];
  private readonly jobs = new Map<string, StagedJob>();

  async open(): Promise<void> {
    this.events = await recordEvents(this.prefix, this.base);
  }

  abstract add(jobs: readonly StagedJob[]): Promise<void>;
  abstract work(handler: Handler, options?: WorkerOptions): Promise<void>;

  /** Keeps what is stored now, to be compared with the other side. */
  async capture(label: string): Promise<void> {
    this.captures[label] = await snapshot(this.redis, this.prefix);
  }

  /** Resolves when these jobs have ended, and, where one job runs at a time, the worker has looked for more. */
  async ended(ids: readonly string[], { isSerial = true } = {}): Promise<void> {
    await eventually(() => {
      const ends = this.events.messages.filter(({ channel }) => channel === 'completed' || channel === 'failed');
      const missing = ids.filter(
        (id) => !ends.some(({ text }) => (JSON.parse(text) as { jobId: string }).jobId === id),
      );
      expect(missing).toEqual([]);
      // When the next delayed job is due is told again and again.
      const last = this.events.messages.findLast(({ channel }) => channel !== 'delayed');
      if (isSerial) expect(last?.channel).toBe('drained');
    });
  }

  async close(): Promise<void> {
    for (const letGo of this.onClose) letGo();
    await this.closeWorkers();
    await this.queue.close(true);
    this.events.stop();
    this.redis.disconnect();
  }

  protected abstract closeWorkers(): Promise<void>;

  /** Both loops look for stalled jobs before all else. */
  protected async begun(): Promise<void> {
    await eventually(async () => expect(await this.redis.exists(`${this.base}stalled-check`)).toBe(1));
  }

  protected async addPlain(jobs: readonly StagedJob[]): Promise<void> {
    for (const job of jobs) {
      this.remember(job);
      const { id, data = [], delay, at, attempts, backoff, keep, keepFailed, plain } = job;
      await this.queue.add('Mail.send', data, {
        jobId: id,
        ...(delay !== undefined && { delay }),
        ...(at !== undefined && { timestamp: this.since + at }),
        ...(attempts !== undefined && { attempts }),
        ...(backoff !== undefined && { backoff }),
        ...(keep === false && { removeOnComplete: true }),
        ...(keepFailed !== undefined && { removeOnFail: keepFailed === 0 ? true : keepFailed }),
        ...plain,
      });
    }
  }

  protected remember(job: StagedJob): void {
    if (!this.jobs.has(job.id)) this.jobs.set(job.id, job);
  }

  protected begin(id: string): { job: StagedJob; number: number } {
    this.started.push(id);
    return { job: this.jobs.get(id) ?? { id }, number: this.started.filter((one) => one === id).length };
  }
}

/** Plain Bull: its producer, its loop. */
export class BullStage extends Stage {
  private readonly workers: Bull.Queue[] = [];

  add(jobs: readonly StagedJob[]): Promise<void> {
    return this.addPlain(jobs);
  }

  async work(
    handler: Handler,
    { concurrency = 1, stalledInterval = LOCK_DURATION }: WorkerOptions = {},
  ): Promise<void> {
    const settings = { stalledInterval, lockDuration: LOCK_DURATION };
    const worker = new Bull(QUEUE, redisUrl(), { prefix: this.prefix, settings });
    this.workers.push(worker);
    // A job that was given to another worker is an error of Bull's loop.
    worker.on('error', () => undefined);
    const run = async (job: Bull.Job): Promise<unknown> => {
      const { number } = this.begin(String(job.id));
      const answer = await handler({
        id: String(job.id),
        number,
        progress: async (value) => await job.progress(value),
        log: async (line) => {
          await job.log(line);
        },
      });
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    };
    void worker.process('*', concurrency, run).catch(() => undefined);
    await this.begun();
  }

  protected async closeWorkers(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close(true)));
  }
}

/** Our loop; the jobs come through the engine or from a plain Bull producer. */
export class EngineStage extends Stage {
  private readonly engines: BullEngine[] = [];

  constructor(private readonly producer: Producer) {
    super();
  }

  async add(jobs: readonly StagedJob[]): Promise<void> {
    if (this.producer === 'plain') return this.addPlain(jobs);
    const [engine = this.engine()] = this.engines;
    for (const job of jobs) {
      this.remember(job);
      const { id, data = [], delay, at } = job;
      const enqueuedAt = at === undefined ? Date.now() : this.since + at;
      const dueAt = delay === undefined ? {} : { dueAt: enqueuedAt + delay };
      const fields = { id, queue: QUEUE, task: 'Mail.send', args: JSON.stringify(data), options: {} };
      await engine.enqueue([{ ...fields, enqueuedAt, ...dueAt }]);
    }
  }

  async work(
    handler: Handler,
    { concurrency = 1, stalledInterval = LOCK_DURATION }: WorkerOptions = {},
  ): Promise<void> {
    const engine = this.engine(stalledInterval);
    engine.work(QUEUE, { concurrency, worker: 'host:1' }, ({ id, attemptsMade }) => {
      const { job, number } = this.begin(id);
      const address = { id, queue: QUEUE };
      const outcome = async (): Promise<Outcome> => {
        const answer = await handler({
          id,
          number,
          progress: (value) => engine.progress(address, JSON.stringify(value)),
          log: (line) => engine.log(address, line),
        });
        return toOutcome(job, attemptsMade, answer);
      };
      return { outcome: outcome(), abort: () => undefined };
    });
    await this.begun();
  }

  protected async closeWorkers(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()));
  }

  private engine(stalledInterval = LOCK_DURATION): BullEngine {
    const options = { redis: redisUrl(), prefix: this.prefix, queues: [QUEUE], lockDuration: LOCK_DURATION };
    const engine = new BullEngine({ ...options, stalledInterval, commandTimeout: 5_000 });
    this.engines.push(engine);
    return engine;
  }
}

/** What the runner decides, by the rules that Bull's loop has built in. */
function toOutcome(job: StagedJob, attemptsMade: number, answer: Answer): Outcome {
  if ('error' in answer) {
    const { error } = answer;
    if (attemptsMade + 1 < (job.attempts ?? 1)) return { type: 'retry', delay: job.backoff ?? 0, error };
    return { type: 'failed', error, keep: { age: KEEP, count: job.keepFailed ?? 1_000 } };
  }
  const keep = job.keep === false ? 0 : KEEP;
  return { type: 'completed', keep, ...(answer.result !== undefined && { result: JSON.stringify(answer.result) }) };
}
