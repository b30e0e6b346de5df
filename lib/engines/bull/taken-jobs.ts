import type { HeldLock } from './queue-upkeep.js';
import type { LockedJob } from './worker-turns.js';

/**
 * Jobs that turns and reads took, on their way into their runs. One half of a worker's places is filled at once, the other a turn
 * of the event loop later: while the runs of one half go on here, Redis writes and takes for the other.
 */
export class TakenJobs {
  private waiting: readonly LockedJob[] = [];
  private readonly most: number;
  private isBeginning = false;

  /**
   * @param concurrency of the worker
   * @param begin begins a run
   * @param on `nextPart`: short runs of the part before have ended by now; `begun`: all of a part were begun
   */
  constructor(
    concurrency: number,
    private readonly begin: (job: LockedJob) => void,
    private readonly on: { nextPart(): void; begun(): void },
  ) {
    this.most = Math.ceil(concurrency / 2);
  }

  /** Jobs that are yet to be begun. */
  get size(): number {
    return this.waiting.length;
  }

  add(jobs: readonly LockedJob[]): void {
    this.waiting = this.waiting.length === 0 ? jobs : [...this.waiting, ...jobs];
    if (!this.isBeginning) this.beginSome();
  }

  *locks(): Generator<HeldLock> {
    for (const { id, lock, startedAt } of this.waiting) yield [id, lock, startedAt];
  }

  /** Forgets a job whose lock is lost; false where it is none of these. */
  drop(id: string): boolean {
    const { length } = this.waiting;
    this.waiting = this.waiting.filter((job) => job.id !== id);
    return this.waiting.length < length;
  }

  private beginSome(): void {
    const { waiting } = this;
    const end = Math.min(this.most, waiting.length);
    this.waiting = end < waiting.length ? waiting.slice(end) : [];
    for (let at = 0; at < end; at++) this.begin(waiting[at]);
    this.isBeginning = this.waiting.length > 0;
    if (this.isBeginning) setImmediate(this.goOn);
    this.on.begun();
  }

  private readonly goOn = (): void => {
    this.on.nextPart();
    this.beginSome();
  };
}
