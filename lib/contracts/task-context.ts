import { AsyncLocalStorage } from 'node:async_hooks';
import type { Slot } from './engine.js';

/**
 * What a task knows about its run. Injected by `@Ctx()`, or found from anywhere inside the task by
 * `TaskContext.current()`.
 *
 * @example
 * ```ts
 * @Task()
 * async resize(file: string, @Ctx() context: TaskContext) {
 *   await context.progress({ done: 1, total: 3 });
 *   await fetch(url, { signal: context.signal });
 * }
 * ```
 */
export abstract class TaskContext {
  abstract readonly jobId: string;
  abstract readonly task: string;
  abstract readonly queue: string;
  /** From 1. */
  abstract readonly attempt: number;
  /** Runs the job may take in total. */
  abstract readonly attempts: number;
  abstract readonly enqueuedAt: Date;
  /** The instant at which the schedule was due; absent for a run that was called, triggered, or that a deploy began with. */
  abstract readonly tick?: Date;
  /** The schedule that made the job; absent for a call. `missed`: ticks before this one that nobody enqueued. */
  abstract readonly schedule?: { readonly name: string; readonly previousTick?: Date; readonly missed: number };
  abstract readonly metadata: Readonly<Record<string, string>>;
  /**
   * Aborted with TaskTimeoutError, TaskCancelledError, TaskShutdownError or JobLockLostError as its reason. What a
   * task does after TaskCancelledError or JobLockLostError changes nothing any more: its outcome is dropped.
   */
  abstract readonly signal: AbortSignal;

  /**
   * Publishes how far the job is, as any JSON value; callers see it in `progress$` and `info()`.
   *
   * @throws InvalidPayloadError when JSON would change or refuse the value
   */
  abstract progress(value: unknown): Promise<void>;

  /** Adds a line to the job's log; the last 1,000 are kept. */
  abstract log(line: string): Promise<void>;

  /** The context of the run that the calling code is part of; undefined outside of a task. */
  static current(): TaskContext | undefined {
    return runScope.getStore()?.context;
  }
}

/** What follows the code of a run through its awaits. */
export interface RunScope {
  context: TaskContext;
  slot: Slot;
}

export const runScope = new AsyncLocalStorage<RunScope>();
