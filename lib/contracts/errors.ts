/* eslint-disable max-classes-per-file -- one list, so that README and code can be compared */
import type { FailedJob } from './job.js';

/**
 * The base of every error that this library makes.
 *
 * `code` is stable across releases: match on it, or on the class, and not on the message.
 */
export class TasksError extends Error {
  readonly code: string = 'TASKS_ERROR';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

// ── At boot ─────────────────────────────────────────────────────────────────────────────────────

/** Everything that is wrong with the declared tasks and module options, collected and thrown once at boot. */
export class TasksConfigurationError extends TasksError {
  override readonly code = 'TASKS_CONFIGURATION';

  constructor(readonly problems: readonly TasksError[]) {
    const list = problems.map((problem, index) => `  ${index + 1}. [${problem.code}] ${problem.message}`);
    super(`nestjs-tasks cannot start: ${problems.length} problem(s) found.\n${list.join('\n')}`);
  }
}

/** Two different classes or methods claim one task name. */
export class DuplicateTaskError extends TasksError {
  override readonly code = 'TASKS_DUPLICATE_TASK';
}

/** A decorator stands where it cannot work, such as `@Ctx()` before other parameters. */
export class InvalidTaskError extends TasksError {
  override readonly code = 'TASKS_INVALID_TASK';
}

// ── At a call ───────────────────────────────────────────────────────────────────────────────────

/** The named task, or the method without `@Task()`, is not known here. */
export class UnknownTaskError extends TasksError {
  override readonly code = 'TASKS_UNKNOWN_TASK';
}

/** The named queue is not declared in `TasksModule.forRoot({ queues })`. */
export class UnknownQueueError extends TasksError {
  override readonly code = 'TASKS_UNKNOWN_QUEUE';
}

/** The named schedule is neither declared nor set. */
export class UnknownScheduleError extends TasksError {
  override readonly code = 'TASKS_UNKNOWN_SCHEDULE';
}

/** An option is unknown, has a value it cannot have, or contradicts another one. */
export class InvalidOptionsError extends TasksError {
  override readonly code = 'TASKS_INVALID_OPTIONS';
}

/**
 * Arguments that do not fit the task's schema; arguments or a progress value that JSON would change or refuse. `issues`
 * names each place.
 */
export class InvalidPayloadError extends TasksError {
  override readonly code = 'TASKS_INVALID_PAYLOAD';

  constructor(
    message: string,
    readonly issues: readonly { path: string; message: string }[],
  ) {
    super(message);
  }
}

/** The `codec` of the module cannot encode or decode arguments, a result or a progress value; or one is needed and missing. */
export class PayloadCodecError extends TasksError {
  override readonly code = 'TASKS_PAYLOAD_CODEC';
}

/** A call that is `unique` with `onConflict: 'reject'`, and whose key an earlier job has. */
export class DuplicateJobError extends TasksError {
  override readonly code = 'TASKS_DUPLICATE_JOB';

  constructor(
    message: string,
    /** The job that has the key. */
    readonly jobId: string,
  ) {
    super(message);
  }
}

/** The engine could not be reached in time. */
export class EngineUnavailableError extends TasksError {
  override readonly code = 'TASKS_ENGINE_UNAVAILABLE';
  /** Id of the job that was to be enqueued; absent where the call was about no single job. */
  readonly jobId?: string;
  /** False: the command never left and will never run. True: it was sent and the reply was lost; `job(id)` will tell. */
  readonly sent: boolean;

  constructor(message: string, details: { sent: boolean; jobId?: string; cause?: unknown }) {
    super(message, { cause: details.cause });
    this.sent = details.sent;
    this.jobId = details.jobId;
  }
}

// ── Waiting for a result ────────────────────────────────────────────────────────────────────────

/** The job used its last attempt; `cause` carries the original error's name, message and stack. */
export class TaskFailedError extends TasksError {
  override readonly code = 'TASKS_TASK_FAILED';

  constructor(readonly job: FailedJob) {
    const cause = Object.assign(new Error(job.error.message), { name: job.error.name, stack: job.error.stack });
    super(`Job ${job.id} of task ${job.task} failed: ${job.error.name}: ${job.error.message}`, { cause });
  }
}

/** The job was cancelled. Also the reason on the signal of a run that was cancelled. */
export class TaskCancelledError extends TasksError {
  override readonly code = 'TASKS_TASK_CANCELLED';
}

/** The job had not started (again) when its `expires` was over. */
export class TaskExpiredError extends TasksError {
  override readonly code = 'TASKS_TASK_EXPIRED';
}

/** `result({ timeout })` passed before the job ended; the job goes on. */
export class ResultTimeoutError extends TasksError {
  override readonly code = 'TASKS_RESULT_TIMEOUT';
}

/** The job is unknown, or ended without its result being kept. */
export class ResultNotFoundError extends TasksError {
  override readonly code = 'TASKS_RESULT_NOT_FOUND';
}

// ── Reasons on a task's signal, and of failed runs ──────────────────────────────────────────────

/** The run took longer than the task's `timeout`. */
export class TaskTimeoutError extends TasksError {
  override readonly code = 'TASKS_TASK_TIMEOUT';
}

/** The worker is shutting down and its grace is over; the job goes back to the queue. */
export class TaskShutdownError extends TasksError {
  override readonly code = 'TASKS_SHUTDOWN';
}

/** This worker lost the job's lock, so another may be running it now; what this run still does is dropped. */
export class JobLockLostError extends TasksError {
  override readonly code = 'TASKS_LOCK_LOST';
}

/**
 * The run ended its thread (memory, `process.exit()`, an error outside of the task), which used an attempt; or the job's
 * process died during each of its last runs, as often as `maxCrashes` allows.
 */
export class TaskCrashedError extends TasksError {
  override readonly code = 'TASKS_TASK_CRASHED';
}

/** A worker thread for tasks with `isolate: 'thread'` could not start, so that the job was put back. */
export class ThreadStartError extends TasksError {
  override readonly code = 'TASKS_THREAD_START';
}

/** What the task returned cannot be written as JSON, or is too large to be told to all who wait. */
export class InvalidResultError extends TasksError {
  override readonly code = 'TASKS_INVALID_RESULT';
}
