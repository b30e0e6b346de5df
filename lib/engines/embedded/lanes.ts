import type { Priority } from '../../contracts/job.js';
import { Line, type Linked } from './line.js';

/** What stands in a lane of its priority; absent: normal. */
export interface Prioritized {
  rules?: { readonly priority?: Priority };
}

/** How many lanes there are, and the most that a lane's number can be above another's. */
export const LANES = 3;

const LINES = LANES * 2;

/** The lane's number, by the order in which lanes are served. */
export function laneOf({ rules }: Prioritized): number {
  switch (rules?.priority) {
    case 'high':
      return 0;
    case undefined:
    case 'normal':
      return 1;
    case 'low':
      return 2;
  }
}

/** A line for each priority; all of a higher one are served before the next, each in the order of their coming. */
export class Lanes<T extends Linked<T> & Prioritized> {
  /** Two for each priority: those who have waited in line before, and those who have not. */
  private readonly lines: readonly Line<T>[];

  /** @param isParked whether these lanes rank behind others */
  constructor(isParked = false) {
    const firstRank = isParked ? LINES : 0;
    this.lines = Array.from({ length: LINES }, (_, index) => new Line<T>(firstRank + index));
  }

  get isEmpty(): boolean {
    return this.peek() === undefined;
  }

  push(item: T): void {
    this.lines[laneOf(item) * 2 + 1].push(item);
  }

  /** Puts an item before all others of its priority that have not been in line before. */
  pushFront(item: T): void {
    this.lines[laneOf(item) * 2 + 1].pushFront(item);
  }

  /** Puts an item that has waited elsewhere before all others of its priority that have not. */
  pushWoken(item: T): void {
    this.lines[laneOf(item) * 2].push(item);
  }

  peek(): T | undefined {
    for (const line of this.lines) if (line.length > 0) return line.peek();
    return undefined;
  }

  shift(): T | undefined {
    for (const line of this.lines) if (line.length > 0) return line.shift();
    return undefined;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const line of this.lines) yield* line;
  }
}
