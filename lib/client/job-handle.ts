import type { Observable } from 'rxjs';
import { isEncoded, missingCodec } from '../contracts/codec.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import type { Engine, Settlement } from '../contracts/engine.js';
import { ResultNotFoundError, TaskCancelledError, TaskExpiredError, TaskFailedError } from '../contracts/errors.js';
import type { FailedJob, JobAddress, JobError, JobInfo, JobState } from '../contracts/job.js';
import type { Redact } from '../contracts/redaction.js';
import type { Json } from '../contracts/signature.js';
import { runScope } from '../contracts/task-context.js';
import { toFailedJob, toJobInfo } from './job-info.js';
import { progressOf } from './progress.js';
import { settlementOf } from './settlement.js';

/** What the caller of a task holds: the job's id, its result, state and progress. */
export interface JobHandle<R = unknown> {
  readonly id: string;
  /** Absent for a handle made from an id. */
  readonly task?: string;
  /** True when an earlier job answers for this call: one of the same id, or one that has its unique key. */
  readonly deduplicated: boolean;
  /**
   * Waits for the result. Inside a task the wait lends its slot to other jobs, so that a worker with concurrency 1
   * does not wait for itself.
   *
   * @throws TaskFailedError with the original error as its cause
   * @throws TaskCancelledError, TaskExpiredError when the job ended that way
   * @throws ResultTimeoutError when `timeout` (absent: none) passes first; the job goes on
   * @throws ResultNotFoundError when nobody knows the job, or nothing was kept of it
   * @throws PayloadCodecError when the result is encoded and cannot be decoded here
   */
  result(options?: { timeout?: Duration; signal?: AbortSignal }): Promise<Json<R>>;
  state(): Promise<JobState>;
  /** Everything known about the job; undefined for an id that nobody knows. */
  info(): Promise<JobInfo<Json<R>> | undefined>;
  /** The job's progress, beginning with its present value. Completes with the job, however it ends. */
  readonly progress$: Observable<unknown>;
  /**
   * Ends a job that has not ended: a waiting one never starts, and of a running one the signal is aborted, wherever it
   * runs. `result()` rejects at once, also where the task ignores its signal.
   *
   * @returns true when the job will not complete because of this call
   */
  cancel(): Promise<boolean>;
  /**
   * Starts a failed, cancelled or expired job afresh, with all its attempts and without expiry; earlier runs stay on record.
   *
   * @returns true when the job waits now; false in any other state, and where another job has its unique key
   */
  retry(): Promise<boolean>;
}

/** What a handle has to know of the application to show a job. */
export interface HandleView {
  /** Answers the attempts of a task's jobs that were stored without. */
  attemptsOf: (task: string) => number;
  redact?: Redact;
}

/** The handle of a job in an engine. A controller may return it: as JSON it is id, task and `deduplicated`. */
export class EngineJobHandle<R> implements JobHandle<R> {
  readonly id: string;
  readonly #engine: Engine;
  readonly #address: JobAddress;
  readonly #view: HandleView;

  constructor(
    engine: Engine,
    address: JobAddress,
    readonly task: string | undefined,
    readonly deduplicated: boolean,
    view: HandleView,
  ) {
    this.id = address.id;
    this.#engine = engine;
    this.#address = address;
    this.#view = view;
  }

  get progress$(): Observable<unknown> {
    return progressOf(this.#engine, this.#address);
  }

  async result(options: { timeout?: Duration; signal?: AbortSignal } = {}): Promise<Json<R>> {
    const { signal } = options;
    const timeout = options.timeout === undefined ? undefined : toMilliseconds(options.timeout, 'timeout of result()');
    signal?.throwIfAborted();
    const reclaim = runScope.getStore()?.slot.lend();
    try {
      return await this.resultOf(await settlementOf(this.#engine, this.#address, { timeout, signal }));
    } finally {
      await reclaim?.();
    }
  }

  state(): Promise<JobState> {
    return this.#engine.state(this.#address);
  }

  async info(): Promise<JobInfo<Json<R>> | undefined> {
    const [record] = await this.#engine.find([this.#address]);
    return record && toJobInfo(record, record.options.attempts ?? this.#view.attemptsOf(record.task));
  }

  async cancel(): Promise<boolean> {
    const [isCancelled] = await this.#engine.cancel([this.#address]);
    return isCancelled;
  }

  async retry(): Promise<boolean> {
    const [isWaiting] = await this.#engine.retry([this.#address]);
    return isWaiting;
  }

  private async resultOf(settlement: Settlement): Promise<Json<R>> {
    if (settlement.state === 'completed') return this.parse(settlement.result);
    throw await this.errorOf(settlement);
  }

  private async errorOf(settlement: Exclude<Settlement, { state: 'completed' }>): Promise<Error> {
    switch (settlement.state) {
      case 'failed':
        return new TaskFailedError(await this.failure(settlement.error));
      case 'cancelled':
        return new TaskCancelledError(
          `Job ${this.id} was cancelled, so it has no result. To run it after all, call retry() of its handle.`,
        );
      case 'expired':
        return new TaskExpiredError(
          `Job ${this.id} was not started in the time that its 'expires' left it, so it has no result. To run it after ` +
            `all, call retry() of its handle; if this repeats, give it more time or the queue more workers.`,
        );
      case 'unknown':
        return new ResultNotFoundError(
          `Job ${this.id} is not known, was removed or moved, or nothing was kept of it. Check the id, ask queue.job(id) ` +
            `where it is now, or raise the task's keepResult.`,
        );
      case 'lost':
        return settlement.error;
    }
  }

  private parse(result: string | undefined): Json<R> {
    if (result === undefined) return undefined as Json<R>;
    if (isEncoded(result)) throw missingCodec(`the result of job ${this.id}`);
    try {
      return JSON.parse(result) as Json<R>;
    } catch (cause) {
      throw new ResultNotFoundError(`The stored result of job ${this.id} is broken: it is not JSON.`, { cause });
    }
  }

  /** The record may be gone already, or out of reach; the error is known without it. */
  private async failure(error: JobError): Promise<FailedJob> {
    const [record] = await this.#engine.find([this.#address]).catch(() => []);
    return record
      ? toFailedJob(record, error, this.#view.redact)
      : { id: this.id, task: this.task ?? 'unknown', args: [], error, runs: [] };
  }
}
