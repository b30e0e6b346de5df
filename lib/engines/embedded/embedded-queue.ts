import type { Clock } from '../../contracts/clock.js';
import type { ActiveRun, EnqueuedJob, NewJob, PauseScope } from '../../contracts/engine.js';
import { TaskCancelledError } from '../../contracts/errors.js';
import type { WaitingFor } from '../../contracts/job.js';
import type { Outcome } from '../../contracts/outcome.js';
import { tell } from '../observing.js';
import { duplicateError, type KnownKeys } from './duplicates.js';
import { beginRun, endRun, startAfresh, toEmbeddedJob, type EmbeddedJob } from './embedded-job.js';
import { isEnded } from './ended-jobs.js';
import { JobStates, type JobStatesOptions } from './job-states.js';
import { tellEnd } from './watches.js';

/** Whoever takes jobs of a queue. */
export interface JobTaker {
  /** A job may be there to take. */
  wake(): void;
}

/** Stands for a run that is being started. */
const STARTING: ActiveRun = { outcome: new Promise(() => undefined), abort: () => undefined };

/** One queue, as producers, workers and operators use it. */
export class EmbeddedQueue implements KnownKeys {
  readonly states: JobStates;
  private readonly clock: Clock;
  private readonly takers = new Set<JobTaker>();
  /** A process is the whole cluster here, so that either pause holds until it is ended itself. */
  private readonly pauses = new Set<PauseScope>();

  constructor(
    readonly name: string,
    options: JobStatesOptions,
  ) {
    this.clock = options.clock;
    this.states = new JobStates(options, () => this.wakeTakers());
  }

  // ── Jobs that come ────────────────────────────────────────────────────────────────────────────

  isKnown(id: string): boolean {
    return this.states.find(id) !== undefined;
  }

  holderOf(key: string): { readonly id: string; readonly job: EmbeddedJob | undefined } | undefined {
    return this.states.rules.uniqueKeys.holderOf(key);
  }

  /**
   * @param after the job whose end this one has to wait for
   * @param onTaken what happens when the job's key is taken and was to be free
   * @throws DuplicateJobError then, unless that is `return`
   */
  add(newJob: NewJob, after?: string, onTaken: 'reject' | 'return' = 'reject'): EnqueuedJob {
    const { id, dueAt, rules } = newJob;
    if (this.isKnown(id)) return { id, deduplicated: true };
    const holder = rules?.unique && this.holderOf(rules.unique.key);
    const onConflict = rules?.unique?.onConflict === 'reject' ? onTaken : rules?.unique?.onConflict;
    if (holder && onConflict === 'return') return { id: holder.id, deduplicated: true };
    if (holder && onConflict === 'reject') throw duplicateError(newJob, holder.id);
    const job = toEmbeddedJob(newJob);
    if (holder?.job) this.replace(holder.job, job);
    if (after !== undefined) this.follow(job, after);
    this.states.add(job);
    if (rules && this.states.rules.expiry.isOver(job)) {
      this.states.end(job, 'expired');
      return { id, deduplicated: false };
    }
    if (rules) this.states.rules.uniqueKeys.take(job);
    if (dueAt !== undefined && dueAt > this.clock.now()) this.states.delay(job, dueAt);
    else this.states.room.enter(job);
    return { id, deduplicated: false };
  }

  /** What has started goes on, and the new job starts when it has ended. */
  private replace(holder: EmbeddedJob, job: EmbeddedJob): void {
    if (isEnded(holder.state)) return;
    const predecessor = holder.starts > 0 ? holder : this.states.room.predecessorOf(holder);
    if (predecessor !== holder) this.cancel(holder);
    if (predecessor) this.states.room.follow(job, predecessor);
  }

  private follow(job: EmbeddedJob, after: string): void {
    const predecessor = this.states.find(after);
    if (!predecessor || isEnded(predecessor.state) || this.states.room.predecessorOf(job)) return;
    this.states.room.follow(job, predecessor);
  }

  // ── Jobs that run ─────────────────────────────────────────────────────────────────────────────

  attach(taker: JobTaker): void {
    this.takers.add(taker);
    taker.wake();
  }

  detach(taker: JobTaker): void {
    this.takers.delete(taker);
  }

  /** Puts the next job in the hands of a worker. Undefined where nothing waits, or may not be taken now. */
  take(worker: string): EmbeddedJob | undefined {
    if (this.isPaused) return undefined;
    // One look at the clock, so that what is on record as the start agrees with expiry and limits.
    const now = this.clock.now();
    this.states.rules.expiry.sweep(now);
    const job = this.states.room.take(now);
    if (!job) return undefined;
    this.states.begin(job);
    beginRun(job, now, worker);
    job.run = STARTING;
    return job;
  }

  /** The run of a taken job; it may have cancelled that job already. */
  started(job: EmbeddedJob, run: ActiveRun): void {
    job.run = run;
    if (job.state !== 'active') abort(job);
  }

  /** Obeys an outcome, but for that of a cancelled job. */
  settle(job: EmbeddedJob, outcome: Outcome): void {
    if (job.state !== 'active') return;
    const now = this.clock.now();
    switch (outcome.type) {
      case 'completed':
        endRun(job, now, 'completed');
        job.result = outcome.result;
        this.states.end(job, 'completed', now, { age: outcome.keep, count: Infinity });
        return;
      case 'failed':
        endRun(job, now, 'failed', outcome.error);
        job.attemptsMade++;
        job.error = outcome.error;
        this.states.end(job, 'failed', now, outcome.keep);
        return;
      case 'retry':
        endRun(job, now, 'retry', outcome.error);
        job.attemptsMade++;
        this.states.again(job, outcome.delay);
        return;
      case 'snooze':
        endRun(job, now, outcome.because, outcome.error);
        this.states.again(job, outcome.delay);
        return;
      case 'declined':
        if (job.rules) this.states.room.takeBackStart(job, job.runs!.at(-1)!.startedAt);
        job.runs?.pop();
        job.starts--;
        if (job.rules || outcome.rules) this.states.rules.declined(job, outcome.rules);
        this.states.again(job, outcome.delay);
        return;
    }
  }

  /** The run of a job has ended after its outcome was told. */
  release(job: EmbeddedJob): void {
    this.states.endRun(job);
  }

  // ── Steering ──────────────────────────────────────────────────────────────────────────────────

  cancel(job: EmbeddedJob): boolean {
    if (isEnded(job.state)) return false;
    const isActive = job.state === 'active';
    if (isActive) endRun(job, this.clock.now(), 'cancelled');
    this.states.end(job, 'cancelled');
    if (isActive) abort(job);
    return true;
  }

  retry(job: EmbeddedJob): boolean {
    const { rules } = this.states;
    if (!isEnded(job.state) || job.state === 'completed' || !rules.uniqueKeys.isFreeFor(job)) return false;
    this.states.revive(job);
    startAfresh(job);
    if (job.rules) rules.uniqueKeys.take(job);
    this.states.wait(job);
    return true;
  }

  remove(job: EmbeddedJob): boolean {
    if (job.state === 'active') return false;
    this.states.giveAway(job);
    tellEnd(job, { state: 'unknown' });
    return true;
  }

  /** Also false while a former run of the job goes on, and where its unique key is taken. */
  move(job: EmbeddedJob, target: EmbeddedQueue): boolean {
    if (job.state === 'active' || job.state === 'completed' || job.run) return false;
    const hasStopped = isEnded(job.state);
    const needsKey = hasStopped || this.states.rules.uniqueKeys.has(job);
    if (target.isKnown(job.id) || (needsKey && !target.states.rules.uniqueKeys.isFreeFor(job))) return false;
    const heldUntil = this.states.giveAway(job);
    if (hasStopped) startAfresh(job);
    if (hasStopped) job.state = 'waiting';
    job.queue = target.name;
    target.states.add(job);
    if (needsKey) target.states.rules.uniqueKeys.take(job, hasStopped ? undefined : heldUntil);
    if (job.state === 'delayed') target.states.room.delay(job, job.at);
    else target.states.room.enter(job);
    return true;
  }

  // ── Pausing, and the end ──────────────────────────────────────────────────────────────────────

  pause(scope: PauseScope): void {
    this.pauses.add(scope);
  }

  resume(scope: PauseScope): void {
    this.pauses.delete(scope);
    if (!this.isPaused) this.wakeTakers();
  }

  get isPaused(): boolean {
    return this.pauses.size > 0;
  }

  waitingFor(job: EmbeddedJob): WaitingFor | undefined {
    if (job.state !== 'waiting') return undefined;
    return this.isPaused ? 'pause' : this.states.room.waitingFor(job);
  }

  private wakeTakers(): void {
    for (const taker of this.takers) taker.wake();
  }
}

function abort(job: EmbeddedJob): void {
  const reason = new TaskCancelledError(
    `Job ${job.id} of task ${job.task} was cancelled while it ran. What the task still does is dropped; ` +
      'pass context.signal on to what it waits for, so that it stops then.',
  );
  tell(() => job.run?.abort(reason));
}
