import { customAlphabet } from 'nanoid';
import {
  checkOptions,
  expectThat,
  mergeCallOptions,
  toJobOptions,
  validateEnqueueOptions,
} from '../contracts/call-options.js';
import { toMilliseconds } from '../contracts/duration.js';
import type { EnqueuedJob, Engine, NewJob, PauseScope } from '../contracts/engine.js';
import { InvalidOptionsError, UnknownQueueError, UnknownTaskError } from '../contracts/errors.js';
import type { TasksSettings } from '../contracts/settings.js';
import { TaskSignature, type Signature } from '../contracts/signature.js';
import type { EnqueueOptions } from '../contracts/task.js';
import { suggest } from '../contracts/suggestion.js';
import type { TaskDefinition, TaskRegistry } from '../discovery/task-definition.js';
import { encodeArguments, expectSignature } from './call.js';
import { EngineJobHandle, type JobHandle } from './job-handle.js';

/** Letters and digits only, 95 bits of them: an id goes into URLs, logs and command lines. */
const createJobId = customAlphabet('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 16);

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
  private readonly attemptsOf = (task: string): number =>
    this.registry().get(task)?.options.attempts ?? this.settings.defaults.attempts;

  constructor(
    private readonly engine: Engine,
    private readonly registry: () => TaskRegistry,
    private readonly settings: TasksSettings,
  ) {}

  /**
   * Stores one call as a job; resolves when the engine has it.
   *
   * @throws InvalidOptionsError, InvalidPayloadError, UnknownTaskError, UnknownQueueError before anything is sent
   * @throws EngineUnavailableError when the engine cannot be reached in time
   */
  async enqueue<R>(signature: Signature<R>, options?: EnqueueOptions): Promise<JobHandle<R>> {
    if (options) validateEnqueueOptions(options, 'enqueue()');
    const job = this.createJob(expectSignature(signature, 'enqueue()'), options, Date.now());
    const [enqueued] = await this.engine.enqueue([job]);
    return this.handle(job, enqueued);
  }

  /**
   * Stores all calls in one round trip, or none of them. The options apply to every call; an empty list answers `[]`.
   *
   * @throws InvalidOptionsError, InvalidPayloadError, UnknownTaskError, UnknownQueueError before anything is sent
   * @throws EngineUnavailableError when the engine cannot be reached in time
   */
  async enqueueMany<const S extends readonly Signature<unknown>[]>(
    signatures: S,
    options?: Omit<EnqueueOptions, 'jobId'>,
  ): Promise<JobHandles<S>> {
    if (!Array.isArray(signatures))
      throw new InvalidOptionsError('enqueueMany() takes a list of calls. Pass an array.');
    if (options) validateManyOptions(options);
    const now = Date.now();
    const jobs = signatures.map((signature: unknown, index) =>
      this.createJob(expectSignature(signature, `enqueueMany(), item ${index},`), options, now),
    );
    const enqueued = jobs.length > 0 ? await this.engine.enqueue(jobs) : [];
    return jobs.map((job, index) => this.handle(job, enqueued[index])) as JobHandles<S>;
  }

  /** The handle of a job by its id, in whichever queue it is. Asks nobody: an id that nobody knows is told by its `state()`. */
  job<R = unknown>(id: string): JobHandle<R> {
    return new EngineJobHandle(this.engine, { id }, undefined, false, this.attemptsOf);
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

  private createJob(signature: TaskSignature<unknown>, options: EnqueueOptions | undefined, now: number): NewJob {
    const { task, args } = signature;
    const registry = this.registry();
    const definition = registry.get(task);
    if (!definition && !signature.isContract) throw unknownTask(task, registry);
    let call = signature.options;
    if (definition?.contractOptions) call = mergeCallOptions(definition.contractOptions, call);
    if (options) call = mergeCallOptions(call, options);
    const jobOptions = toJobOptions(call);
    if (definition) jobOptions.attempts ??= definition.options.attempts ?? this.settings.defaults.attempts;
    return {
      id: call.jobId ?? createJobId(),
      queue: this.queueOf(call, definition, task),
      task,
      args: encodeArguments(args, task),
      options: jobOptions,
      metadata: call.metadata,
      enqueuedAt: now,
      dueAt: dueAt(call, definition, now),
    };
  }

  private queueOf(call: EnqueueOptions, definition: TaskDefinition | undefined, task: string): string {
    return this.declared(call.queue ?? definition?.options.queue ?? 'default', `the call of ${task}`);
  }

  private declared(queue: string, where: string): string {
    if (this.settings.queues.has(queue)) return queue;
    throw new UnknownQueueError(
      `The queue '${queue}' of ${where} is not declared. ${suggest(queue, [...this.settings.queues.keys()])} ` +
        'Queues are declared in TasksModule.forRoot({ queues }).',
    );
  }

  private handle<R>({ queue, task }: NewJob, { id, deduplicated }: EnqueuedJob): JobHandle<R> {
    return new EngineJobHandle(this.engine, { id, queue }, task, deduplicated, this.attemptsOf);
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

/** When the job may start; undefined: at once. */
function dueAt(call: EnqueueOptions, definition: TaskDefinition | undefined, now: number): number | undefined {
  const at = call.at?.getTime();
  if (at !== undefined) return at > now ? at : undefined;
  const delay = call.delay ?? definition?.options.delay;
  const milliseconds = delay === undefined ? 0 : toMilliseconds(delay, 'delay');
  return milliseconds > 0 ? now + milliseconds : undefined;
}

function unknownTask(task: string, registry: TaskRegistry): UnknownTaskError {
  return new UnknownTaskError(
    `The task '${task}' is not known in this application. ${suggest(task, registry.names())} Add its class to the ` +
      `providers of a module; a task of another application is called by a contract: task<[…], …>('${task}').`,
  );
}
