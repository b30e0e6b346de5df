/** The places of a rate limit: one for each start of a key, taken for as long as the limit's `per`. */
export class StartPlaces {
  /** The latest starts, in their order; no more than any limit can ask for. */
  private starts: number[] = [];
  private largestMax = 0;
  private longestPer = 0;

  take(now: number, { max, per }: { max: number; per: number }): void {
    this.largestMax = Math.max(this.largestMax, max);
    this.longestPer = Math.max(this.longestPer, per);
    this.starts.push(now);
    if (this.starts.length > this.largestMax * 2) this.starts = this.starts.slice(-this.largestMax);
  }

  /** A start was none after all. */
  giveBack(at: number): void {
    const index = this.starts.lastIndexOf(at);
    if (index !== -1) this.starts.splice(index, 1);
  }

  /**
   * The instant from which one more may start; -Infinity where no start is in its way, Infinity where others have been
   * promised every place.
   */
  freeAt({ max, per }: { max: number; per: number }, promised = 0): number {
    const left = max - promised;
    if (left <= 0) return Infinity;
    const { length } = this.starts;
    return length < left ? -Infinity : this.starts[length - left] + per;
  }

  /** The instant from which nothing needs to be known of these starts. */
  get idleAt(): number {
    return this.starts.length === 0 ? -Infinity : this.starts[this.starts.length - 1] + this.longestPer;
  }
}
