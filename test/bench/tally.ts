/** Counts how often each job ran, and marks when a part of them has. */
export class Tally {
  private readonly runs: Uint8Array;
  private readonly marks = new Map<number, () => void>();
  private readonly problems: string[] = [];
  private total = 0;

  /** @param runsPerJob how often each job has to run, no more and no less */
  constructor(
    readonly jobs: number,
    private readonly runsPerJob = 1,
  ) {
    this.runs = new Uint8Array(jobs);
  }

  /** Notes one run of a job; answers how often it has run by now. */
  note(i: number): number {
    if (!(i >= 0 && i < this.jobs)) this.problems.push(`a job with the unknown number ${i} ran`);
    const runs = ++this.runs[i];
    this.marks.get(++this.total)?.();
    return runs;
  }

  /** Resolves once so many runs were noted. */
  reached(total: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.total >= total) resolve();
      else this.marks.set(total, resolve);
    });
  }

  all(): Promise<void> {
    return this.reached(this.jobs * this.runsPerJob);
  }

  /** @throws Error saying how many jobs ran too rarely or too often */
  check(): void {
    const { problems, runsPerJob } = this;
    const lost = this.runs.filter((count) => count < runsPerJob).length;
    const repeated = this.runs.filter((count) => count > runsPerJob).length;
    if (lost > 0) problems.push(`${lost} of ${this.jobs} jobs ran less than ${runsPerJob} time(s)`);
    if (repeated > 0) problems.push(`${repeated} of ${this.jobs} jobs ran more than ${runsPerJob} time(s)`);
    if (problems.length > 0) throw new Error(`Delivery is not exact: ${problems.slice(0, 3).join('; ')}.`);
  }
}
