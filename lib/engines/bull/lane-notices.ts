/** Counts the notices of jobs that the blocking read does not see: those of high or low priority. */
export class LaneNotices {
  private noted = 0;
  private emptied = 0;

  note(): void {
    this.noted++;
  }

  /** Such jobs may wait. */
  get areOpen(): boolean {
    return this.noted !== this.emptied;
  }

  /** Begins a look at all jobs. Answers a function that says that none was left then. */
  look(): () => void {
    const { noted } = this;
    return () => (this.emptied = noted);
  }
}
