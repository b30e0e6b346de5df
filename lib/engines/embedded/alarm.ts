/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** One timer for the earliest of many instants. It never keeps the process alive. */
export class Alarm {
  private timer: NodeJS.Timeout | undefined;
  private at = Infinity;
  private isClosed = false;

  constructor(
    private readonly now: () => number,
    private readonly ring: () => void,
  ) {}

  /** Rings at this instant (milliseconds since the epoch), unless it is set to ring earlier already. */
  setBy(at: number): void {
    if (at >= this.at || this.isClosed) return;
    this.clear();
    this.at = at;
    this.start();
  }

  /** Never rings again. */
  close(): void {
    this.isClosed = true;
    this.clear();
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.at = Infinity;
  }

  private start(): void {
    const wait = Math.min(Math.max(this.at - this.now(), 0), LONGEST_TIMER);
    this.timer = setTimeout(() => this.elapsed(), wait).unref();
  }

  private elapsed(): void {
    if (this.now() < this.at) {
      this.start();
      return;
    }
    this.clear();
    this.ring();
  }
}
