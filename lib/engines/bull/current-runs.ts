import type { ActiveRun } from '../../contracts/engine.js';
import { JobLockLostError, TaskCancelledError, type TasksError } from '../../contracts/errors.js';
import { ById } from '../by-id.js';
import type { TakenSlot } from '../slots.js';
import { readCancelNotice } from './cancel-notices.js';
import { EndedRun } from './outcome-arguments.js';
import type { HeldLock } from './queue-upkeep.js';
import type { LockedJob } from './worker-turns.js';

export class CurrentRun extends EndedRun {
  /** The outcome is known and the method still goes on. */
  isOverdue = false;
  /** What it answers is of no interest any more. */
  isCancelled = false;

  constructor(
    locked: LockedJob,
    worker: string,
    readonly slot: TakenSlot,
    readonly run: ActiveRun,
  ) {
    super(locked.taken, locked.lock, locked.startedAt, worker);
  }
}

/** The runs of one worker, and what happens to them from outside. */
export class CurrentRuns {
  private readonly byJob = new ById<CurrentRun>();
  /** Jobs that were cancelled while a turn or a read was under way: it may have taken them before. */
  private readonly cancelledEarly = new Set<string>();

  get size(): number {
    return this.byJob.size;
  }

  get(id: string): CurrentRun | undefined {
    return this.byJob.get(id);
  }

  add(current: CurrentRun): void {
    this.byJob.set(current.job.id, current);
  }

  delete(current: CurrentRun): void {
    if (this.byJob.get(current.job.id) === current) this.byJob.delete(current.job.id);
  }

  /** Whether a worker that stops has to wait for one of them. Once aborted, an outcome is enough. */
  holdUpStop(isAborted: boolean): boolean {
    return [...this.byJob.values()].some(({ isOverdue }) => !isOverdue || !isAborted);
  }

  *locks(): Generator<HeldLock> {
    for (const { job, lock, startedAt, isOverdue, isCancelled } of this.byJob.values()) {
      if (!isOverdue && !isCancelled) yield [job.id, lock, startedAt];
    }
  }

  abort(reason: TasksError): void {
    for (const { run } of this.byJob.values()) run.abort(reason);
  }

  loseLock(id: string, isCancelled: boolean): void {
    const current = this.byJob.get(id);
    if (!current) return;
    if (isCancelled) return cancel(current);
    const reason = `The lock of job ${id} is lost, so that another worker may run it. Stop working on it.`;
    current.run.abort(new JobLockLostError(reason));
  }

  /** @param mayBeOnItsWay whether a turn or a read is under way, which may have taken the job */
  cancel(message: string, mayBeOnItsWay: boolean): void {
    const notice = readCancelNotice(message);
    if (!notice) return;
    const current = this.byJob.get(notice.jobId);
    if (current?.lock === notice.lock) cancel(current);
    else if (mayBeOnItsWay) this.cancelledEarly.add(runOf(notice.jobId, notice.lock));
  }

  /** Whether a job was cancelled before this worker knew that it has it. */
  wasCancelled(id: string, lock: string): boolean {
    return this.cancelledEarly.size > 0 && this.cancelledEarly.has(runOf(id, lock));
  }

  /** Nothing is under way any more. */
  allArrived(): void {
    this.cancelledEarly.clear();
  }
}

function cancel(current: CurrentRun): void {
  const { id, task } = current.job;
  current.isCancelled = true;
  current.run.abort(new TaskCancelledError(`Job ${id} of task ${task} was cancelled. Stop working on it.`));
}

/** A lock's value is that of all jobs of a turn. */
function runOf(id: string, lock: string): string {
  return `${lock} ${id}`;
}
