/** Something that has to be over at an instant. */
export interface Timed {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Kept by `Deadlines`: where it stands in the list; -1: not in it. */
  place: number;
  /** Called once, when the deadline has passed. */
  expire(): void;
}

/** The longest wait that a Node timer takes; a longer one would fire at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Keeps the deadlines of all runs with one timer, armed for the earliest.
 *
 * A removed deadline leaves the timer alone: runs that share a timeout come and go without touching it, and it
 * wakes at most once per timeout to look again.
 */
export class Deadlines {
  /** A list whose members know their place: a Set of short-lived members costs three times as much. */
  private readonly waiting: Timed[] = [];
  private timer?: NodeJS.Timeout;
  private armedFor = Infinity;

  add(timed: Timed): void {
    timed.place = this.waiting.push(timed) - 1;
    if (timed.deadline < this.armedFor) this.arm(timed.deadline);
  }

  /** Harmless for one that is not in the list. The last member takes the place that gets free. */
  remove(timed: Timed): void {
    if (timed.place < 0) return;
    const last = this.waiting.pop()!;
    if (last !== timed) {
      this.waiting[timed.place] = last;
      last.place = timed.place;
    }
    timed.place = -1;
  }

  private arm(deadline: number): void {
    clearTimeout(this.timer);
    const wait = Math.ceil(deadline - performance.now());
    this.armedFor = deadline;
    this.timer = setTimeout(() => this.expireDue(), Math.min(Math.max(wait, 1), LONGEST_WAIT));
    this.timer.unref();
  }

  private expireDue(): void {
    this.armedFor = Infinity;
    const now = performance.now();
    for (const timed of this.waiting.filter(({ deadline }) => deadline <= now)) {
      // One that expires may have removed another.
      if (timed.place < 0) continue;
      this.remove(timed);
      timed.expire();
    }
    const earliest = this.waiting.reduce((least, { deadline }) => Math.min(least, deadline), Infinity);
    if (earliest < this.armedFor) this.arm(earliest);
  }
}
