import type { Clock } from '../../contracts/clock.js';
import type { KnownState } from '../../contracts/engine.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { EmbeddedJob } from './embedded-job.js';
import { Line } from './line.js';
import { Timetable } from './timetable.js';

export type EndedState = 'completed' | 'failed' | 'cancelled' | 'expired';

/** Reading forgets what is over its time, so the timer is only about memory and need not be exact. */
const SWEEP_DELAY = 1_000;

export function isEnded(state: KnownState): state is EndedState {
  return state === 'completed' || state === 'failed' || state === 'cancelled' || state === 'expired';
}

/** The ended jobs of one queue that are still known, until their time is over or there are too many of their kind. */
export class EndedJobs {
  private readonly lines = {
    completed: new Line<EmbeddedJob>(),
    cancelled: new Line<EmbeddedJob>(),
    expired: new Line<EmbeddedJob>(),
  };
  /** By task: each says how many of its own are kept. */
  private readonly failed = new Map<string, Line<EmbeddedJob>>();
  private readonly timetable: Timetable<EmbeddedJob>;

  /** @param forget called for each job that is no longer kept */
  constructor(
    clock: Clock,
    private readonly forget: (job: EmbeddedJob) => void,
  ) {
    this.timetable = new Timetable(clock, (job) => this.drop(job), SWEEP_DELAY);
  }

  /** Keeps a job whose end is on record, among the others that ended like it. */
  keep(job: EmbeddedJob, state: EndedState, { age, count }: FailedRetention): void {
    if (age <= 0 || count <= 0) {
      this.forget(job);
      return;
    }
    const line = this.lineOf(state, job.task);
    line.push(job);
    this.timetable.add(job, job.finishedAt + age);
    for (let oldest = line.peek(); oldest && line.length > count; oldest = line.peek()) this.drop(oldest);
  }

  /** Lets go of a job that is kept. */
  remove(job: EmbeddedJob): void {
    job.line?.remove(job);
    this.timetable.remove(job);
    if (job.state === 'failed' && this.failed.get(job.task)?.length === 0) this.failed.delete(job.task);
  }

  /** The latest first. */
  of(state: EndedState): Iterable<EmbeddedJob> {
    return state === 'failed' ? latestFirst(this.failed.values()) : this.lines[state].backwards();
  }

  /** Forgets every job whose time is over. */
  sweep(): void {
    this.timetable.run();
  }

  close(): void {
    this.timetable.close();
  }

  private lineOf(state: EndedState, task: string): Line<EmbeddedJob> {
    if (state !== 'failed') return this.lines[state];
    let line = this.failed.get(task);
    if (!line) this.failed.set(task, (line = new Line()));
    return line;
  }

  private drop(job: EmbeddedJob): void {
    this.remove(job);
    this.forget(job);
  }
}

/** Several lines as one, the last to come first. */
function* latestFirst(lines: Iterable<Line<EmbeddedJob>>): Generator<EmbeddedJob> {
  const lasts = Array.from(lines, (line) => line.peekLast() as EmbeddedJob);
  while (lasts.length > 0) {
    const latest = lasts.reduce((one, other) => (one.order > other.order ? one : other));
    lasts.splice(lasts.indexOf(latest), 1, ...(latest.previous ? [latest.previous] : []));
    yield latest;
  }
}
