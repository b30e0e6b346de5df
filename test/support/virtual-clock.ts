import type { Clock } from '../../lib/contracts/clock.js';

/** A clock that stands still until it is moved on. */
export class VirtualClock implements Clock {
  private timers: { id: number; at: number; callback: () => void }[] = [];
  private ids = 0;

  constructor(private time: number) {}

  readonly now = (): number => this.time;

  setTimer(callback: () => void, milliseconds: number): number {
    const id = ++this.ids;
    this.timers.push({ id, at: this.time + Math.max(0, milliseconds), callback });
    return id;
  }

  clearTimer(timer: unknown): void {
    this.timers = this.timers.filter(({ id }) => id !== timer);
  }

  /** Moves on, and rings what falls due, in its order; each gets the turns of the event loop that it asks for. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    await settle();
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!next || next.at > until) break;
      this.timers = this.timers.filter(({ id }) => id !== next.id);
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = until;
  }

  /** Moves on while the process stands still, so that every timer rings late. */
  async stall(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    await this.advance(0);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
