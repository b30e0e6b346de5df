import type { LockedJob } from './worker-turns.js';

/**
 * Jobs that turns took, on their way into their runs. One half of a worker's places is filled at once, the other a turn
 * of the event loop later: while the runs of one half go on here, Redis writes and takes for the other.
 */
export class TakenJobs {
  private readonly waiting: LockedJob[] = [];
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
    this.waiting.push(...jobs);
    if (!this.isBeginning) this.beginSome();
  }

  *locks(): Generator<[id: string, lock: string]> {
    for (const { job, lock } of this.waiting) yield [job.id, lock];
  }

  /** Forgets a job whose lock is lost. */
  drop(id: string): void {
    const at = this.waiting.findIndex(({ job }) => job.id === id);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  private beginSome(): void {
    for (const job of this.waiting.splice(0, this.most)) this.begin(job);
    this.isBeginning = this.waiting.length > 0;
    if (this.isBeginning) setImmediate(this.goOn);
    this.on.begun();
  }

  private readonly goOn = (): void => {
    this.on.nextPart();
    this.beginSome();
  };
}
