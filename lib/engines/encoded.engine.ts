import { decodeWith, encodeWith, isEncoded, type PayloadCodec } from '../contracts/codec.js';
import type {
  Engine,
  EnqueuedJob,
  EngineWorker,
  JobObserver,
  JobPage,
  JobQuery,
  KnownState,
  PauseScope,
  Settlement,
  StartRun,
  WorkOptions,
} from '../contracts/engine.js';
import type { EngineSchedules } from '../contracts/engine-schedules.js';
import type { PayloadCodecError } from '../contracts/errors.js';
import type { JobAddress, JobRecord, JobState, NewJob } from '../contracts/job.js';
import { EncodedSchedules } from './encoded-schedules.js';
import { tell } from './observing.js';

/**
 * An engine behind a codec, for all that callers read and write: arguments, results and progress values go through it
 * encoded, and whoever asks gets them plain. What a worker runs is decoded and encoded by the runner.
 */
export class EncodedEngine implements Engine {
  readonly schedules: EngineSchedules;

  /** Of jobs whose progress is being sent, the latest: an earlier value must not arrive after a later one. */
  private readonly sending = new Map<string, Promise<void>>();

  constructor(
    private readonly engine: Engine,
    private readonly codec: PayloadCodec,
  ) {
    this.schedules = new EncodedSchedules(engine.schedules, codec, (job) => this.encodeJob(job));
  }

  get name(): string {
    return this.engine.name;
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    return this.engine.enqueue(await Promise.all(jobs.map((job) => this.encodeJob(job))));
  }

  async find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    const records = await this.engine.find(jobs);
    return Promise.all(records.map((record) => this.decodeRecord(record)));
  }

  async list(query: JobQuery): Promise<JobPage> {
    const page = await this.engine.list(query);
    return { ...page, jobs: await Promise.all(page.jobs.map((record) => this.decodeRecord(record))) };
  }

  /** Decoding takes its time; what is told keeps its order. */
  watch(job: JobAddress, observer: JobObserver): () => void {
    let isWatching = true;
    let told = Promise.resolve();
    const tellInTurn = <T>(decoded: Promise<T>, step: (value: T) => void): void => {
      told = told.then(async () => {
        const value = await decoded;
        if (isWatching) tell(() => step(value));
      });
    };
    const unwatch = this.engine.watch(job, {
      progress: (value) => tellInTurn(this.decodeIfPossible(value), (plain) => observer.progress?.(plain)),
      settled: (settlement) => tellInTurn(this.decodeSettlement(job, settlement), (plain) => observer.settled(plain)),
    });
    return () => {
      isWatching = false;
      unwatch();
    };
  }

  progress(job: JobAddress, value: string): Promise<void> {
    const send = async (): Promise<void> =>
      this.engine.progress(job, await encodeWith(this.codec, value, `the progress of job ${job.id}`));
    const sent = (this.sending.get(job.id) ?? Promise.resolve()).then(send, send);
    this.sending.set(job.id, sent);
    const forget = (): void => {
      if (this.sending.get(job.id) === sent) this.sending.delete(job.id);
    };
    sent.then(forget, forget);
    return sent;
  }

  work(queue: string, options: WorkOptions, start: StartRun): EngineWorker {
    return this.engine.work(queue, options, start);
  }

  begin(job: JobAddress): Promise<boolean> {
    return this.engine.begin(job);
  }

  state(job: JobAddress): Promise<JobState> {
    return this.engine.state(job);
  }

  log(job: JobAddress, line: string): Promise<void> {
    return this.engine.log(job, line);
  }

  counts(queue: string): Promise<Record<KnownState, number>> {
    return this.engine.counts(queue);
  }

  cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.engine.cancel(jobs);
  }

  retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.engine.retry(jobs);
  }

  remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.engine.remove(jobs);
  }

  move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]> {
    return this.engine.move(jobs, toQueue);
  }

  pause(queue: string, scope: PauseScope): Promise<void> {
    return this.engine.pause(queue, scope);
  }

  resume(queue: string, scope: PauseScope): Promise<void> {
    return this.engine.resume(queue, scope);
  }

  isPaused(queue: string): Promise<boolean> {
    return this.engine.isPaused(queue);
  }

  problems(): Promise<readonly string[]> {
    return this.engine.problems();
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  private async encodeJob(job: NewJob): Promise<NewJob> {
    const args = await encodeWith(this.codec, job.args, `the arguments of job ${job.id} of task ${job.task}`);
    return { ...job, args };
  }

  /** What cannot be decoded stays as it is stored: a list is not broken by one job. */
  private async decodeRecord<Found extends JobRecord | undefined>(record: Found): Promise<Found> {
    if (!record) return record;
    const { args, result, progress } = record;
    if (![args, result, progress].some((text) => text !== undefined && isEncoded(text))) return record;
    const decoded = { ...record, args: await this.decodeIfPossible(args) };
    if (result !== undefined) decoded.result = await this.decodeIfPossible(result);
    if (progress !== undefined) decoded.progress = await this.decodeIfPossible(progress);
    return decoded;
  }

  private async decodeIfPossible(stored: string): Promise<string> {
    return decodeWith(this.codec, stored, 'what is stored').catch(() => stored);
  }

  private async decodeSettlement({ id }: JobAddress, settlement: Settlement): Promise<Settlement> {
    if (settlement.state !== 'completed' || settlement.result === undefined) return settlement;
    try {
      return { state: 'completed', result: await decodeWith(this.codec, settlement.result, `the result of job ${id}`) };
    } catch (error) {
      return { state: 'lost', error: error as PayloadCodecError };
    }
  }
}
