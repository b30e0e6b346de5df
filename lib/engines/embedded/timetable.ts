import type { Clock } from '../../contracts/clock.js';
import { Alarm } from './alarm.js';

/** What may stand in a timetable; in one at a time. */
export interface Timed {
  /** Milliseconds since the epoch. */
  at: number;
  /** Decides between two of the same instant. */
  order: number;
  /** Where a timetable keeps it; -1: in none. */
  place: number;
}

/** Instants and what is due at them. Coming and leaving take logarithmic time, and there is one timer for all. */
export class Timetable<T extends Timed> {
  /** A binary heap: none is due before the one at (place - 1) / 2. */
  private readonly heap: T[] = [];
  private readonly alarm: Alarm;

  /**
   * @param due called for each one whose instant has come, after it has left the timetable
   * @param lateness how late the timer may ring, in milliseconds, where `run()` is called before everything that matters
   */
  constructor(
    private readonly clock: Clock,
    private readonly due: (item: T) => void,
    private readonly lateness = 0,
  ) {
    this.alarm = new Alarm(clock, () => this.run());
  }

  add(item: T, at: number): void {
    item.at = at;
    this.rise(item, this.heap.length);
    this.alarm.setBy(at + this.lateness);
  }

  /** Takes out an item that stands in this timetable; harmless for one that stands in none. */
  remove(item: T): void {
    const { place } = item;
    if (place === -1) return;
    item.place = -1;
    const last = this.heap.pop() as T;
    if (last === item) return;
    if (place > 0 && isBefore(last, this.heap[(place - 1) >> 1])) this.rise(last, place);
    else this.sink(last, place);
  }

  /** Calls `due` for everything whose instant has come; the timer does that by itself. */
  run(now?: number): void {
    if (this.heap.length > 0) this.runAt(now ?? this.clock.now());
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<T> {
    return this.heap[Symbol.iterator]();
  }

  /** Ends the timer for good. */
  close(): void {
    this.alarm.close();
  }

  private runAt(now: number): void {
    for (let first = this.heap[0]; first && first.at <= now; first = this.heap[0]) {
      this.remove(first);
      this.due(first);
    }
    if (this.heap.length > 0) this.alarm.setBy(this.heap[0].at + this.lateness);
  }

  private rise(item: T, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(item, this.heap[parent])) break;
      this.put(this.heap[parent], place);
      place = parent;
    }
    this.put(item, place);
  }

  private sink(item: T, from: number): void {
    const { heap } = this;
    let place = from;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], item)) break;
      this.put(heap[child], place);
      place = child;
    }
    this.put(item, place);
  }

  private put(item: T, place: number): void {
    this.heap[place] = item;
    item.place = place;
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
