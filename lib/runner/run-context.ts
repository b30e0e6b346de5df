import type { ActiveJob, Engine } from '../contracts/engine.js';
import { TaskShutdownError, type TasksError } from '../contracts/errors.js';
import { toDate } from '../contracts/job-view.js';
import { encodePayload } from '../contracts/payload.js';
import { TaskContext } from '../contracts/task-context.js';

/** The context of one run. Most tasks read little of it, so everything is made when it is first read. */
export class RunContext extends TaskContext {
  private controller?: AbortController;
  private abortReason?: TasksError;
  private enqueued?: Date;

  constructor(
    private readonly job: ActiveJob,
    readonly attempts: number,
    private readonly engine: Pick<Engine, 'progress' | 'log'>,
  ) {
    super();
  }

  get jobId(): string {
    return this.job.id;
  }

  get task(): string {
    return this.job.task;
  }

  get queue(): string {
    return this.job.queue;
  }

  get attempt(): number {
    return this.job.attemptsMade + 1;
  }

  get enqueuedAt(): Date {
    return (this.enqueued ??= new Date(this.job.enqueuedAt));
  }

  get tick(): Date | undefined {
    return toDate(this.job.rules?.schedule?.tick);
  }

  get schedule(): TaskContext['schedule'] {
    const made = this.job.rules?.schedule;
    return made && { name: made.name, previousTick: toDate(made.previousTick), missed: made.missed };
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.job.metadata;
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** A value that cannot be sent is thrown at once, so that it fails the task also where nobody awaits. */
  progress(value: unknown): Promise<void> {
    const json = encodePayload(value ?? null, `Progress of job ${this.job.id}`);
    return this.isOver ? Promise.resolve() : mayBeIgnored(this.engine.progress(this.address, json));
  }

  /** Callers without types may hand in anything. */
  log(line: unknown): Promise<void> {
    return this.isOver ? Promise.resolve() : mayBeIgnored(this.engine.log(this.address, String(line)));
  }

  /** Aborts the signal; the first reason holds. */
  abort(reason: TasksError): void {
    if (this.abortReason) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }

  /** The job has ended, or belongs to another run by now: what a run that was aborted still says is not about it. */
  private get isOver(): boolean {
    return this.abortReason !== undefined && !(this.abortReason instanceof TaskShutdownError);
  }

  private get address() {
    return { id: this.job.id, queue: this.job.queue };
  }
}

/** A task that does not await its progress must not end the process when the engine is away. */
function mayBeIgnored(sent: Promise<void>): Promise<void> {
  sent.catch(() => undefined);
  return sent;
}
