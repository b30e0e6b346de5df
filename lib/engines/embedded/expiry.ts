import type { Clock } from '../../contracts/clock.js';
import type { EmbeddedJob } from './embedded-job.js';
import { nextOrder } from './line.js';
import { Timetable, type Timed } from './timetable.js';

interface ExpiryDate extends Timed {
  readonly job: EmbeddedJob;
}

/** Tells when a job must not start any more. */
export class Expiry {
  private readonly dates = new Map<EmbeddedJob, ExpiryDate>();
  private readonly timetable: Timetable<ExpiryDate>;

  /** @param expire called at the instant of each job that was added, whatever it is doing then */
  constructor(
    private readonly clock: Clock,
    expire: (job: EmbeddedJob) => void,
  ) {
    this.timetable = new Timetable(clock, ({ job }) => {
      this.dates.delete(job);
      expire(job);
    });
  }

  add(job: EmbeddedJob): void {
    const expiresAt = job.rules?.expiresAt;
    if (expiresAt === undefined) return;
    const date: ExpiryDate = { at: expiresAt, order: nextOrder(), place: -1, job };
    this.dates.set(job, date);
    this.timetable.add(date, expiresAt);
  }

  remove(job: EmbeddedJob): void {
    const date = this.dates.get(job);
    if (!date) return;
    this.dates.delete(job);
    this.timetable.remove(date);
  }

  isOver(job: EmbeddedJob): boolean {
    const expiresAt = job.rules?.expiresAt;
    return expiresAt !== undefined && expiresAt <= this.clock.now();
  }

  /** Called before whatever depends on it: the timer may ring late. */
  sweep(now?: number): void {
    this.timetable.run(now);
  }

  close(): void {
    this.timetable.close();
  }
}
