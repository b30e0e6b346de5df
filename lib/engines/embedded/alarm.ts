import type { Clock, ClockTimer } from '../../contracts/clock.js';
/** One timer for the earliest of many instants. It never keeps the process alive. */
export class Alarm {
  private timer: ClockTimer | undefined;
  private at = Infinity;
  private isClosed = false;

  constructor(
    private readonly clock: Clock,
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
    this.clock.clearTimer(this.timer);
    this.timer = undefined;
    this.at = Infinity;
  }

  private start(): void {
    this.timer = this.clock.setTimer(() => this.elapsed(), this.at - this.clock.now());
  }

  private elapsed(): void {
    if (this.clock.now() < this.at) {
      this.start();
      return;
    }
    this.clear();
    this.ring();
  }
}
