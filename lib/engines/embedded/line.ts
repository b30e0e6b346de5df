/** What may stand in a line; in one at a time. */
export interface Linked<T extends Linked<T>> {
  /** Undefined while it stands in none. */
  line: Line<T> | undefined;
  /** Grows along each line, and is met in one place only. */
  order: number;
  next: T | undefined;
  previous: T | undefined;
}

/** One count for all lines, so that those who stand in several can be put into one order. */
let latestOrder = 0;

export function nextOrder(): number {
  return ++latestOrder;
}

/** First in, first out; anyone may leave at any time. Each step takes constant time, and no memory. */
export class Line<T extends Linked<T>> {
  private first: T | undefined;
  private last: T | undefined;
  private size = 0;

  /** @param rank tells this line's place among others where the items of several are compared */
  constructor(readonly rank = 0) {}

  get length(): number {
    return this.size;
  }

  peek(): T | undefined {
    return this.first;
  }

  peekLast(): T | undefined {
    return this.last;
  }

  push(item: T): void {
    item.line = this;
    item.order = nextOrder();
    item.previous = this.last;
    if (this.last) this.last.next = item;
    else this.first = item;
    this.last = item;
    this.size++;
  }

  /** Puts an item before all others. */
  pushFront(item: T): void {
    item.line = this;
    item.order = -nextOrder();
    item.next = this.first;
    if (this.first) this.first.previous = item;
    else this.last = item;
    this.first = item;
    this.size++;
  }

  shift(): T | undefined {
    const item = this.first;
    if (item) this.remove(item);
    return item;
  }

  /** Takes out an item that stands in this line. */
  remove(item: T): void {
    const { previous, next } = item;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    // A link that stayed would keep the others of the line in memory.
    item.line = item.next = item.previous = undefined;
    this.size--;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let item = this.first; item; item = item.next) yield item;
  }

  /** The last one first. */
  *backwards(): Generator<T> {
    for (let item = this.last; item; item = item.previous) yield item;
  }
}

/** Whether one item comes before another, which may stand in another line. */
export function isBefore<T extends Linked<T>>(a: T, b: T): boolean {
  const ranks = a.line!.rank - b.line!.rank;
  return ranks < 0 || (ranks === 0 && a.order < b.order);
}
