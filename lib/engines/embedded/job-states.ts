import type { Clock } from '../../contracts/clock.js';
import type { KnownState, Settlement } from '../../contracts/engine.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { EmbeddedJob } from './embedded-job.js';
import { EndedJobs, isEnded, type EndedState } from './ended-jobs.js';
import { inOrder, type ListedJobs } from './job-listing.js';
import { Line } from './line.js';
import { RuleBook } from './rule-book.js';
import { WaitingRoom } from './waiting-room.js';
import { tellEnd } from './watches.js';

export interface JobStatesOptions {
  clock: Clock;
  keepStopped: FailedRetention;
}

/** The known jobs of one queue. Each change of state is here, with all that it asks of the parts of a queue. */
export class JobStates implements ListedJobs {
  readonly room: WaitingRoom;
  readonly rules: RuleBook;
  private readonly clock: Clock;
  private readonly keepStopped: FailedRetention;
  private readonly jobs = new Map<string, EmbeddedJob>();
  private readonly active = new Line<EmbeddedJob>();
  private readonly ended: EndedJobs;
  private readonly numbers = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, expired: 0 };

  /** @param ready called when there may be a job to take */
  constructor({ clock, keepStopped }: JobStatesOptions, ready: () => void) {
    this.clock = clock;
    this.keepStopped = keepStopped;
    this.room = new WaitingRoom(clock, (job) => this.wait(job), ready);
    this.rules = new RuleBook(clock, (job) => this.expire(job));
    this.ended = new EndedJobs(clock, (job) => this.forget(job));
  }

  find(id: string): EmbeddedJob | undefined {
    this.sweep();
    return this.jobs.get(id);
  }

  counts(): Record<KnownState, number> {
    this.sweep();
    return { ...this.numbers };
  }

  /** Makes a job known, in the state that it says; it has to be sent somewhere then. */
  add(job: EmbeddedJob): void {
    this.jobs.set(job.id, job);
    this.numbers[job.state]++;
    if (job.rules) this.rules.add(job);
  }

  wait(job: EmbeddedJob): void {
    this.become(job, 'waiting');
    this.room.enter(job);
  }

  delay(job: EmbeddedJob, at: number): void {
    this.become(job, 'delayed');
    this.room.delay(job, at);
  }

  begin(job: EmbeddedJob): void {
    this.become(job, 'active');
    this.active.push(job);
    job.starts++;
    if (job.rules) this.rules.uniqueKeys.started(job);
  }

  /** Sends a job that was active back to where it waits for its next run. */
  again(job: EmbeddedJob, delay: number): void {
    if (job.rules && this.rules.expiry.isOver(job)) {
      this.end(job, 'expired');
      return;
    }
    this.room.leave(job);
    if (delay > 0) this.delay(job, this.clock.now() + delay);
    else this.wait(job);
  }

  /**
   * Ends a job and tells everyone; what belongs to its end has to be in it before. The run of a cancelled one may ignore
   * its signal, so that its places are free only when that run has ended; a job that replaces another waits so too.
   */
  end(job: EmbeddedJob, state: EndedState, finishedAt = this.clock.now(), keep = this.keepStopped): void {
    if (job.state === 'active' && state === 'cancelled') this.active.remove(job);
    else this.room.leave(job);
    this.become(job, state);
    job.finishedAt = finishedAt;
    if (job.rules) {
      this.rules.ended(job, state, this.predecessorOf(job));
      if (!job.run) this.room.endFollowing(job);
    }
    this.ended.keep(job, state, keep);
    tellEnd(job);
  }

  /** The run of a job has ended after its outcome was told; only from now on can the job run again. */
  endRun(job: EmbeddedJob): void {
    job.run = undefined;
    this.room.endRun(job);
    if (job.rules && !this.isGoingOn(job)) this.room.endFollowing(job);
  }

  /** Lets go of an ended job that is about to start afresh. */
  revive(job: EmbeddedJob): void {
    this.ended.remove(job);
  }

  /** Makes a job that is not active unknown. Answers the instant at which its unique key would have been free. */
  giveAway(job: EmbeddedJob): number | undefined {
    if (isEnded(job.state)) this.ended.remove(job);
    else this.room.leave(job);
    this.numbers[job.state]--;
    this.jobs.delete(job.id);
    if (!job.rules) return undefined;
    const heldUntil = this.rules.remove(job, this.predecessorOf(job));
    if (!job.run) this.room.endFollowing(job);
    return heldUntil;
  }

  *inState(state: KnownState): Iterable<EmbeddedJob> {
    switch (state) {
      case 'waiting':
        yield* this.room.inLanes();
        yield* inOrder(this.room.aside());
        return;
      case 'delayed':
        yield* inOrder(this.room.ofDelayed());
        return;
      case 'active':
        yield* this.active;
        return;
      case 'completed':
      case 'failed':
      case 'cancelled':
      case 'expired':
        yield* this.ended.of(state);
        return;
    }
  }

  tagged(tag: string): Iterable<EmbeddedJob> {
    return this.rules.tags.of(tag);
  }

  /** Does what is due by now: timers may ring late. */
  sweep(): void {
    this.ended.sweep();
    this.rules.expiry.sweep();
  }

  /** Ends every timer and every watch. */
  close(settlement: Settlement): void {
    this.room.close();
    this.rules.close();
    this.ended.close();
    for (const job of this.jobs.values()) tellEnd(job, settlement);
  }

  /** The job that this one has replaced, where that has not ended. */
  private predecessorOf(job: EmbeddedJob): EmbeddedJob | undefined {
    const predecessor = this.room.predecessorOf(job);
    return predecessor && this.isGoingOn(predecessor) ? predecessor : undefined;
  }

  private isGoingOn(job: EmbeddedJob): boolean {
    return !isEnded(job.state) && this.jobs.get(job.id) === job;
  }

  private expire(job: EmbeddedJob): void {
    if (job.state === 'waiting' || job.state === 'delayed') this.end(job, 'expired', job.rules!.expiresAt);
  }

  private forget(job: EmbeddedJob): void {
    this.numbers[job.state]--;
    this.jobs.delete(job.id);
    if (job.rules) this.rules.forget(job);
  }

  private become(job: EmbeddedJob, state: KnownState): void {
    this.numbers[job.state]--;
    this.numbers[state]++;
    job.state = state;
  }
}
