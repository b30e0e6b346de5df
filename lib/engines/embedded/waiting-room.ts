import type { Clock } from '../../contracts/clock.js';
import type { WaitingFor } from '../../contracts/job.js';
import type { EmbeddedJob } from './embedded-job.js';
import { Lanes } from './lanes.js';
import { Limits } from './limits.js';
import { Line, nextOrder } from './line.js';
import { Successors } from './successors.js';
import { Timetable } from './timetable.js';

/** Behind every lane. */
const HELD_RANK = 100;

/** The jobs of one queue that wait or are delayed, each in the place where what it waits for will find it. */
export class WaitingRoom {
  private readonly lanes = new Lanes<EmbeddedJob>();
  private readonly delayed: Timetable<EmbeddedJob>;
  private readonly limits: Limits;
  /** Jobs that wait for the end of a run: of their own former one, or of the job that they have replaced. */
  private readonly held = new Line<EmbeddedJob>(HELD_RANK);
  private readonly successors = new Successors();

  /**
   * @param promote called for a delayed job that is due
   * @param ready called when there may be a job to take
   */
  constructor(
    clock: Clock,
    promote: (job: EmbeddedJob) => void,
    private readonly ready: () => void,
  ) {
    this.delayed = new Timetable(clock, promote);
    this.limits = new Limits(clock, (job) => this.wake(job));
  }

  /** Lets a job wait for a worker, as the last of its priority. */
  enter(job: EmbeddedJob): void {
    if (this.isHeld(job)) {
      this.held.push(job);
      return;
    }
    this.lanes.push(job);
    this.ready();
  }

  delay(job: EmbeddedJob, at: number): void {
    job.order = nextOrder();
    this.delayed.add(job, at);
  }

  /** Undefined where no job may start at this instant. */
  take(now: number): EmbeddedJob | undefined {
    for (let job = this.lanes.shift(); job; job = this.lanes.shift()) {
      if (job.rules === undefined || this.limits.admit(job, now)) return job;
    }
    return undefined;
  }

  /** Lets go of a job that waits, is delayed or runs, and of its places, unless a run that was cancelled still has them. */
  leave(job: EmbeddedJob): void {
    if (job.state === 'delayed') this.delayed.remove(job);
    job.line?.remove(job);
    if (job.rules && (job.state === 'active' || !job.run)) this.limits.leave(job);
  }

  /** Lets a job start only when another has ended. */
  follow(job: EmbeddedJob, predecessor: EmbeddedJob): void {
    this.successors.add(job, predecessor);
  }

  predecessorOf(job: EmbeddedJob): EmbeddedJob | undefined {
    return this.successors.predecessorOf(job);
  }

  /** A job has ended or goes away; whoever waited for its end goes on. */
  endFollowing(job: EmbeddedJob): void {
    for (const successor of this.successors.leave(job)) {
      if (successor.line !== this.held || this.isHeld(successor)) continue;
      this.held.remove(successor);
      this.wake(successor);
    }
  }

  /** A run has ended, whose job may have been sent anywhere meanwhile. What a shutdown put back is the first of its priority. */
  endRun(job: EmbeddedJob): void {
    if (job.rules) this.limits.leave(job);
    if (job.line !== this.held || this.isHeld(job)) return;
    this.held.remove(job);
    if (job.runs?.at(-1)?.outcome === 'shutdown') this.lanes.pushFront(job);
    else this.lanes.push(job);
    this.ready();
  }

  waitingFor(job: EmbeddedJob): WaitingFor | undefined {
    return this.successors.predecessorOf(job) ? 'concurrency' : this.limits.waitingFor(job);
  }

  /** Those that a worker may take, in that order. */
  inLanes(): Iterable<EmbeddedJob> {
    return this.lanes;
  }

  /** Those that no worker may take now, in no order. */
  *aside(): Generator<EmbeddedJob> {
    yield* this.limits.parked();
    yield* this.held;
  }

  /** In no order. */
  ofDelayed(): Iterable<EmbeddedJob> {
    return this.delayed;
  }

  /** The run of a job that began at this instant never did. */
  takeBackStart(job: EmbeddedJob, at: number): void {
    this.limits.takeBackStart(job, at);
  }

  close(): void {
    this.delayed.close();
    this.limits.close();
  }

  private isHeld(job: EmbeddedJob): boolean {
    return job.run !== undefined || (job.rules !== undefined && this.successors.predecessorOf(job) !== undefined);
  }

  private wake(job: EmbeddedJob): void {
    this.lanes.pushWoken(job);
    this.ready();
  }
}
