/** The places of a concurrency limit: one for each run of a key that is going on. */
export class RunPlaces {
  private taken = 0;

  get isIdle(): boolean {
    return this.taken === 0;
  }

  /** @param promised places that others will take first */
  hasRoom(max: number, promised = 0): boolean {
    return this.taken + promised < max;
  }

  take(): void {
    this.taken++;
  }

  give(): void {
    this.taken--;
  }
}
