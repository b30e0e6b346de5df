import TinyQueue from 'tinyqueue';
import {
  LOG_LINES,
  RUNS_KEPT,
  type JobObserver,
  type NewJob,
  type PauseScope,
  type Settlement,
} from '../../contracts/engine.js';
import type { JobError, JobRecord, JobState, RunOutcome, RunRecord } from '../../contracts/job.js';
import type { Outcome } from '../../contracts/outcome.js';
import { Alarm } from './alarm.js';
import { toEmbeddedJob, type EmbeddedJob } from './embedded-job.js';
import { Fifo } from './fifo.js';
import { tell, type Watch } from '../observing.js';
import { Retention } from './retention.js';

/** Whoever takes jobs of a queue. */
export interface JobTaker {
  /** A job may be there to take. */
  wake(): void;
}

/** The jobs of one queue, in every state. */
export class EmbeddedQueue {
  private readonly jobs = new Map<string, EmbeddedJob>();
  private readonly waiting = new Fifo<EmbeddedJob>();
  private readonly delayed = new TinyQueue<EmbeddedJob>([], firstDue);
  private readonly alarm: Alarm;
  private readonly retention: Retention;
  private readonly takers = new Set<JobTaker>();
  private readonly numbers = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, expired: 0 };
  /** A process is the whole cluster here, so that either pause holds until it is ended itself. */
  private readonly pauses = new Set<PauseScope>();
  private sequence = 0;

  constructor(private readonly now: () => number) {
    this.alarm = new Alarm(now, () => this.promote());
    this.retention = new Retention(now, (job) => this.forget(job));
  }

  /** False when the id is known, so that nothing was stored. */
  add(newJob: NewJob): boolean {
    if (this.find(newJob.id)) return false;
    const job = toEmbeddedJob(newJob);
    this.jobs.set(job.id, job);
    this.numbers.waiting++;
    if (newJob.dueAt !== undefined && newJob.dueAt > this.now()) this.delay(job, newJob.dueAt);
    else this.putBack(job);
    return true;
  }

  find(id: string): EmbeddedJob | undefined {
    this.retention.sweep();
    return this.jobs.get(id);
  }

  counts(): Record<Exclude<JobState, 'unknown'>, number> {
    this.retention.sweep();
    return { ...this.numbers };
  }

  attach(taker: JobTaker): void {
    this.takers.add(taker);
    taker.wake();
  }

  detach(taker: JobTaker): void {
    this.takers.delete(taker);
  }

  /** Undefined where nothing waits, or may not be taken now. */
  take(): EmbeddedJob | undefined {
    return this.isPaused ? undefined : this.waiting.shift();
  }

  pause(scope: PauseScope): void {
    this.pauses.add(scope);
  }

  resume(scope: PauseScope): void {
    this.pauses.delete(scope);
    if (!this.isPaused) for (const taker of this.takers) taker.wake();
  }

  get isPaused(): boolean {
    return this.pauses.size > 0;
  }

  /** Puts a taken job in the hands of a worker. */
  begin(job: EmbeddedJob, worker: string): void {
    this.move(job, 'active');
    const run = { attempt: job.attemptsMade + 1, startedAt: this.now(), worker };
    if (job.runs) job.runs.push(run);
    else job.runs = [run];
  }

  /**
   * Obeys an outcome. Answers the step that makes the job takeable again, which has to wait for the end of the old
   * run; undefined where the job is finished.
   */
  settle(job: EmbeddedJob, outcome: Outcome): (() => void) | undefined {
    switch (outcome.type) {
      case 'completed':
        this.endRun(job, 'completed');
        job.result = outcome.result;
        this.finish(job, 'completed', { state: 'completed', result: outcome.result });
        this.retention.keepCompleted(job, outcome.keep);
        return undefined;
      case 'failed':
        this.endRun(job, 'failed', outcome.error);
        job.attemptsMade++;
        job.error = outcome.error;
        this.finish(job, 'failed', { state: 'failed', error: { ...outcome.error } });
        this.retention.keepFailed(job, outcome.keep);
        return undefined;
      case 'retry':
        this.endRun(job, 'retry', outcome.error);
        job.attemptsMade++;
        return this.again(job, outcome.delay, () => this.putBack(job));
      case 'snooze':
        this.endRun(job, outcome.because, outcome.error);
        return this.again(job, outcome.delay, () => this.putBack(job, outcome.because === 'shutdown'));
      case 'declined':
        job.runs?.pop();
        return this.again(job, outcome.delay, () => this.putBack(job));
    }
  }

  watch(job: EmbeddedJob, observer: JobObserver): () => void {
    const watches = (job.watches ??= new Set());
    const watch: Watch = { observer };
    watches.add(watch);
    return () => void watches.delete(watch);
  }

  progress(job: EmbeddedJob, value: string): void {
    job.progress = value;
    for (const { observer } of job.watches ?? []) tell(() => observer.progress?.(value));
  }

  log(job: EmbeddedJob, line: string): void {
    const logs = (job.logs ??= []);
    logs.push(line);
    if (logs.length > LOG_LINES) logs.shift();
  }

  /** Ends every timer and every watch. */
  close(settlement: Settlement): void {
    this.alarm.close();
    this.retention.close();
    for (const job of this.jobs.values()) this.tellEnd(job, settlement);
  }

  private endRun(job: EmbeddedJob, outcome: RunOutcome, error?: JobError): void {
    const runs = job.runs as RunRecord[];
    const run = runs[runs.length - 1];
    run.endedAt = this.now();
    run.outcome = outcome;
    if (error) run.error = { ...error };
    if (runs.length > RUNS_KEPT) runs.shift();
  }

  private finish(job: EmbeddedJob, state: 'completed' | 'failed', settlement: Settlement): void {
    this.move(job, state);
    job.finishedAt = this.now();
    this.tellEnd(job, settlement);
  }

  private again(job: EmbeddedJob, delay: number, putBack: () => void): () => void {
    if (delay <= 0) {
      this.move(job, 'waiting');
      return putBack;
    }
    job.dueAt = this.now() + delay;
    this.move(job, 'delayed');
    return () => this.delay(job, job.dueAt);
  }

  private delay(job: EmbeddedJob, dueAt: number): void {
    this.move(job, 'delayed');
    job.dueAt = dueAt;
    job.sequence = this.sequence++;
    this.delayed.push(job);
    this.alarm.setBy(dueAt);
  }

  private promote(): void {
    const now = this.now();
    for (let next = this.delayed.peek(); next && next.dueAt <= now; next = this.delayed.peek()) {
      this.delayed.pop();
      this.move(next, 'waiting');
      this.putBack(next);
    }
    const next = this.delayed.peek();
    if (next) this.alarm.setBy(next.dueAt);
  }

  private putBack(job: EmbeddedJob, first = false): void {
    if (first) this.waiting.pushFront(job);
    else this.waiting.push(job);
    for (const taker of this.takers) taker.wake();
  }

  private move(job: EmbeddedJob, state: JobRecord['state']): void {
    this.numbers[job.state]--;
    this.numbers[state]++;
    job.state = state;
  }

  private forget(job: EmbeddedJob): void {
    this.numbers[job.state]--;
    this.jobs.delete(job.id);
  }

  private tellEnd(job: EmbeddedJob, settlement: Settlement): void {
    const watches = job.watches;
    if (!watches) return;
    job.watches = undefined;
    for (const { observer } of watches) tell(() => observer.settled(settlement));
  }
}

function firstDue(a: EmbeddedJob, b: EmbeddedJob): number {
  return a.dueAt - b.dueAt || a.sequence - b.sequence;
}
