import type { NewTick, SchedulePause, ScheduleState, TickAnswer } from '../../contracts/engine-schedules.js';
import type { JobState } from '../../contracts/job.js';
import type { EmbeddedQueue } from './embedded-queue.js';
import { isEnded } from './ended-jobs.js';
import { watch } from './watches.js';

/** What is kept of one schedule, and what that decides about its ticks. */
export class KeptSchedule {
  /** The last tick that made a job. */
  lastTick: number | undefined;
  /** The last one that was decided about. */
  private last = 0;
  /** Nothing before this instant is missed. */
  private since = 0;
  private rule: string | undefined;
  private job: string | undefined;
  private jobEnded: JobState | undefined;
  /** Jobs that were triggered. */
  private others: string[] = [];
  private count = 0;
  private missed = 0;
  private skipped = 0;
  private pause: SchedulePause | undefined;
  private readonly deploys = new Set<string>();

  follow(rule: string, now: number): void {
    if (this.rule === rule) return;
    this.rule = rule;
    this.since = now;
  }

  /** Its definition is another one. */
  countAnew(): void {
    this.count = 0;
  }

  setPause(pause: SchedulePause | undefined, now: number): void {
    if (!pause && this.pause) this.since = now;
    this.pause = pause && { ...pause };
  }

  /** Answers what stands against a job; undefined where nothing does. */
  decide(tick: NewTick, queue: EmbeddedQueue): TickAnswer | undefined {
    if (tick.kind === 'trigger') return undefined;
    if (tick.kind === 'start') {
      if (this.pause) return { type: 'paused' };
      if (this.deploys.has(tick.deploy)) return { type: 'known', done: this.last };
      this.deploys.add(tick.deploy);
      return undefined;
    }
    if (tick.at <= this.last) return { type: 'known', done: this.last };
    const isBehind = this.done > 0 && this.done < tick.after;
    if (isBehind || (tick.missed > 0 && this.done > tick.after)) return { type: 'moved', done: this.done };
    this.last = tick.at;
    if (this.pause) return { type: 'paused' };
    this.missed += tick.missed;
    if (tick.limit !== undefined && this.count >= tick.limit) return { type: 'over' };
    return tick.overlap === 'skip' && this.unfinished(queue) !== undefined ? this.skip() : undefined;
  }

  accept(tick: NewTick, queue: EmbeddedQueue): void {
    const { id } = tick.job;
    if (tick.kind !== 'tick') {
      this.others.push(id);
      return;
    }
    this.lastTick = tick.at;
    this.count++;
    this.job = id;
    this.jobEnded = undefined;
    const job = queue.states.find(id);
    if (!job) return;
    watch(job, {
      settled: ({ state }) => {
        if (this.job === id && state !== 'lost') this.jobEnded = state;
      },
    });
  }

  /** @param by the job that has the unique key; absent: an earlier run of the schedule */
  skip(by?: string): TickAnswer {
    this.skipped++;
    return by === undefined ? { type: 'skipped' } : { type: 'skipped', by };
  }

  /** The job of the schedule that goes on, whose end the next one may have to wait for. */
  unfinished(queue: EmbeddedQueue): string | undefined {
    const goesOn = (id: string): boolean => {
      const job = queue.states.find(id);
      return job !== undefined && !isEnded(job.state);
    };
    this.others = this.others.filter(goesOn);
    return this.job !== undefined && goesOn(this.job) ? this.job : this.others[0];
  }

  read(queue: EmbeddedQueue): ScheduleState {
    const { done, count, missed, skipped } = this;
    const state: ScheduleState = { done, count, missed, skipped };
    if (this.lastTick !== undefined) state.lastTick = this.lastTick;
    if (this.job !== undefined) state.lastState = queue.states.find(this.job)?.state ?? this.jobEnded ?? 'unknown';
    if (this.pause) state.pause = { ...this.pause };
    return state;
  }

  private get done(): number {
    return Math.max(this.last, this.since);
  }
}
