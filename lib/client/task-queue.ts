import { validateEnqueueOptions } from '../contracts/call-options.js';
import { checkOptions, expectThat } from '../contracts/checks.js';
import { systemClock, type Clock } from '../contracts/clock.js';
import type { EnqueuedJob, Engine, NewJob, PauseScope } from '../contracts/engine.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { Signature } from '../contracts/signature.js';
import type { EnqueueOptions } from '../contracts/task.js';
import type { TaskRegistry } from '../discovery/task-definition.js';
import { actOn } from './bulk.js';
import { expectSignature } from './call.js';
import { declaredQueue } from './declared-queue.js';
import type { JobFilter } from './job-filter.js';
import { EngineJobHandle, type HandleView, type JobHandle } from './job-handle.js';
import { newJob } from './new-job.js';

/** The result type of a signature. */
export type ResultOf<S> = S extends Signature<infer R> ? R : never;

/** The handles of a list of signatures, each with the result of its own. */
export type JobHandles<S extends readonly Signature<unknown>[]> = {
  -readonly [K in keyof S]: JobHandle<ResultOf<S[K]>>;
};

/**
 * Hands calls of tasks to the engine.
 *
 * @example
 * ```ts
 * constructor(private readonly queue: TaskQueue) {}
 *
 * const job = await this.queue.enqueue(task(MailTasks).sendEmail(mail), { delay: '5s' });
 * const receipt = await job.result({ timeout: '30s' });
 * ```
 */
export class TaskQueue {
  private readonly view: HandleView;

  constructor(
    private readonly engine: Engine,
    private readonly registry: () => TaskRegistry,
    private readonly settings: TasksSettings,
    private readonly clock: Pick<Clock, 'now'> = systemClock,
  ) {
    const { redact, defaults } = settings;
    this.view = { redact, attemptsOf: (task) => registry().get(task)?.options.attempts ?? defaults.attempts };
  }

  /**
   * Stores one call as a job; resolves when the engine has it.
   *
   * @throws InvalidOptionsError, InvalidPayloadError, UnknownTaskError, UnknownQueueError before anything is sent
   * @throws DuplicateJobError for a call that is unique with `onConflict: 'reject'`, and whose key is taken
   * @throws EngineUnavailableError when the engine cannot be reached in time
   */
  enqueue<R>(signature: Signature<R>, options?: EnqueueOptions): Promise<JobHandle<R>> {
    // Chained by hand: promises are a good part of what one call of many costs.
    try {
      if (options) validateEnqueueOptions(options, 'enqueue()');
      const made = this.newJob(signature, options, 'enqueue()', this.clock.now());
      return made instanceof Promise ? made.then((job) => this.store(job)) : this.store(made);
    } catch (refusal) {
      return Promise.reject(refusal);
    }
  }

  /**
   * Stores all calls in one round trip, or none of them. The options apply to every call; an empty list answers `[]`.
   *
   * @throws InvalidOptionsError, InvalidPayloadError, UnknownTaskError, UnknownQueueError before anything is sent
   * @throws DuplicateJobError for a call that is unique with `onConflict: 'reject'`, and whose key is taken
   * @throws EngineUnavailableError when the engine cannot be reached in time
   */
  async enqueueMany<const S extends readonly Signature<unknown>[]>(
    signatures: S,
    options?: Omit<EnqueueOptions, 'jobId'>,
  ): Promise<JobHandles<S>> {
    if (!Array.isArray(signatures))
      throw new InvalidOptionsError('enqueueMany() takes a list of calls. Pass an array.');
    if (options) validateManyOptions(options);
    const now = this.clock.now();
    const made = signatures.map((signature: unknown, index) =>
      this.newJob(signature, options, `enqueueMany(), item ${index},`, now),
    );
    const jobs: NewJob[] = [];
    for (const job of made) jobs.push(job instanceof Promise ? await job : job);
    const enqueued = jobs.length > 0 ? await this.engine.enqueue(jobs) : [];
    return jobs.map((job, index) => this.handle(job, enqueued[index])) as JobHandles<S>;
  }

  /** The handle of a job by its id, in whichever queue it is. Asks nobody: an id that nobody knows is told by its `state()`. */
  job<R = unknown>(id: string): JobHandle<R> {
    return new EngineJobHandle(this.engine, { id }, undefined, false, this.view);
  }

  /**
   * Cancels the waiting, delayed and running jobs that match; of a running one the signal is aborted, wherever it runs.
   *
   * @returns how many will not complete because of this call
   * @throws InvalidOptionsError for an empty filter, and for a state in which nothing is left to cancel
   * @throws UnknownQueueError for a queue that is not declared
   */
  async cancel(filter: JobFilter): Promise<number> {
    return actOn(this.engine, this.settings, filter, {
      where: 'cancel()',
      // In the order in which a job passes through them, so that none slips by while they are read.
      states: ['delayed', 'waiting', 'active'],
      act: (jobs) => this.engine.cancel(jobs),
    });
  }

  /**
   * Starts no more jobs of a queue, in the whole cluster or, with `local`, in this process. Running jobs go on, and
   * what is enqueued meanwhile waits. The pause of the cluster outlives every process.
   *
   * @throws UnknownQueueError for a queue that is not declared
   */
  async pause(queue: string, options: { local?: boolean } = {}): Promise<void> {
    await this.engine.pause(this.declared(queue, 'pause()'), scopeOf(options, 'pause()'));
  }

  /** Ends a pause; one of this process (`local`) and one of the cluster are ended each by itself. */
  async resume(queue: string, options: { local?: boolean } = {}): Promise<void> {
    await this.engine.resume(this.declared(queue, 'resume()'), scopeOf(options, 'resume()'));
  }

  /** Whether a queue is paused, in the cluster or in this process. */
  async isPaused(queue: string): Promise<boolean> {
    return this.engine.isPaused(this.declared(queue, 'isPaused()'));
  }

  private store<R>(job: NewJob): Promise<JobHandle<R>> {
    return this.engine.enqueue([job]).then(([enqueued]) => this.handle(job, enqueued));
  }

  private newJob(signature: unknown, options: EnqueueOptions | undefined, where: string, now: number) {
    return newJob(expectSignature(signature, where), options, this.registry(), this.settings, now);
  }

  private declared(queue: string, where: string): string {
    return declaredQueue(this.settings, queue, where);
  }

  private handle<R>({ queue, task }: NewJob, { id, deduplicated }: EnqueuedJob): JobHandle<R> {
    return new EngineJobHandle(this.engine, { id, queue }, task, deduplicated, this.view);
  }
}

function scopeOf(options: { local?: boolean }, where: string): PauseScope {
  checkOptions(
    options,
    { local: (value, at) => expectThat(typeof value === 'boolean', at, value, 'true or false') },
    where,
  );
  return options.local ? 'process' : 'cluster';
}

function validateManyOptions(options: Omit<EnqueueOptions, 'jobId'>): void {
  validateEnqueueOptions(options, 'enqueueMany()');
  if ('jobId' in options) {
    throw new InvalidOptionsError(
      'enqueueMany() takes no jobId, which names one job. Give it to a call: .with({ jobId }).',
    );
  }
}
