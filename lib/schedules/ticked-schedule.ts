import type { NewTick, ScheduleState, TickAnswer } from '../contracts/engine-schedules.js';
import { countTicks, dueTick, ticksToMakeUp, type Due } from './due-ticks.js';
import type { PlannedSchedule } from './planned-schedule.js';

/** A schedule as one process ticks it. Instants are those of the engine's clock. */
export class TickedSchedule {
  /** The next instant to look at it; undefined: never, until something is known of it. */
  next: number | undefined;
  /** The last tick that this process knows to have made a job. */
  lastTick: number | undefined;
  /** Stopped in this process only. */
  isStopped = false;
  isGone = false;
  /** Up to this instant nothing is to be handed over. */
  private done = 0;
  /** Whether `next` is the first tick after `done`. */
  private isWhole = true;

  constructor(readonly schedule: PlannedSchedule) {}

  /** Begins with what the engine knows of it. Answers what is to be made up. */
  begin(state: ScheduleState, now: number): Due[] {
    const { rule, catchUp, catchUpWindow: window } = this.schedule;
    this.lastTick = state.lastTick;
    this.done = state.done;
    const madeUp = ticksToMakeUp(rule, { catchUp, window }, state, now);
    if (madeUp.length > 0) this.done = madeUp.at(-1)!.at;
    this.goOn(now);
    return madeUp;
  }

  /** Goes on after the present instant: what was due before is not made up. */
  goOn(now: number): void {
    const { rule } = this.schedule;
    this.next = rule.next(Math.max(now, this.done));
    this.isWhole = this.next === rule.next(this.done);
  }

  /** The tick that is to be handed over now; undefined while none is due. */
  take(now: number): Due | undefined {
    const { rule } = this.schedule;
    const { next } = this;
    if (next === undefined || next > now) return undefined;
    const due = dueTick(rule, next - 1, now)!;
    if (!this.isWhole && due.missed === 0) due.isInTime = true;
    if (!this.isWhole || due.missed > 0) due.missed = countTicks(rule, this.done, due.at);
    due.after = this.done;
    this.moveTo(due.at);
    return due;
  }

  /** A tick was not handed over, and is due again. */
  putBack(due: Due, retryAt: number): void {
    this.done = Math.min(this.done, due.after);
    this.next = this.schedule.rule.next(this.done);
    this.retryAt = retryAt;
    this.isWhole = true;
  }

  /** Not before this instant, after a failure. */
  retryAt: number | undefined;

  /** The instant at which `take` may answer something. */
  get dueAt(): number | undefined {
    if (this.next === undefined || this.isStopped || this.isGone) return undefined;
    return Math.max(this.next, this.retryAt ?? -Infinity);
  }

  /** Learns what became of a tick. True when there is something to hand over anew. */
  learn(tick: NewTick, answer: TickAnswer): boolean {
    if (tick.kind !== 'tick') return false;
    switch (answer.type) {
      case 'accepted':
        this.lastTick = Math.max(this.lastTick ?? 0, tick.at);
        return false;
      case 'known':
        return false;
      case 'moved':
        if (answer.done >= this.done) return false;
        this.moveBackTo(answer.done);
        return true;
      case 'early':
        this.moveBackTo(Math.min(this.done, tick.after));
        return true;
      case 'over':
      case 'gone':
        this.next = undefined;
        return false;
      case 'paused':
      case 'skipped':
        return false;
    }
  }

  private moveTo(tick: number): void {
    this.done = tick;
    this.next = this.schedule.rule.next(tick);
    this.isWhole = true;
    this.retryAt = undefined;
  }

  private moveBackTo(done: number): void {
    this.done = done;
    this.next = this.schedule.rule.next(done);
    this.isWhole = true;
  }
}
