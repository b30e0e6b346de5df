import { Worker } from 'node:worker_threads';

/** Time between two looks at the heap of a thread that works, in milliseconds. */
const LOOK_EVERY = 100;

const MEGABYTE = 1024 ** 2;

/** A thread whose heap can be looked at from outside, also while it computes: since Node 22.16 and 24. */
interface ObservableThread {
  getHeapStatistics?(): Promise<{ used_heap_size: number }>;
}

/**
 * Ends a thread that needs too much memory.
 *
 * V8 ends a thread at its limit, but the whole process where one step passes it by more than 16 MB, as the growth of a
 * large Map or `JSON.parse` do. So its limit is twice as far away, where the heap can be looked at, and the thread ended
 * on the way there. V8 collects garbage when the heap is half way between what is in use and its limit: what is above
 * one and a half times `memory` then is no garbage of a task that keeps to it.
 */
export class MemoryGuard {
  private timer?: NodeJS.Timeout;

  /** @param memory in megabytes */
  constructor(
    private readonly memory: number,
    private readonly isObservable = 'getHeapStatistics' in Worker.prototype,
  ) {}

  /** The limit that V8 is given, in megabytes. */
  get limit(): number {
    return this.isObservable ? 2 * this.memory + 64 : this.memory;
  }

  /** Looks at a thread until `stop` is called; calls back once if it needs too much. */
  watch(thread: object | undefined, exceeded: () => void): void {
    if (!thread || !this.isObservable) return;
    const most = (1.5 * this.memory + 32) * MEGABYTE;
    this.timer = setInterval(() => {
      (thread as ObservableThread).getHeapStatistics?.().then(
        ({ used_heap_size: used }) => {
          if (used <= most || !this.timer) return;
          this.stop();
          exceeded();
        },
        // It has just ended.
        () => undefined,
      );
    }, LOOK_EVERY);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
