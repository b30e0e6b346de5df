import { Logger } from '@nestjs/common';
import type { ActiveJob, Engine, Slot } from '../contracts/engine.js';
import { ThreadStartError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';
import type { ThreadSettings } from '../contracts/settings.js';
import { Slots, type TakenSlot } from '../engines/slots.js';
import type { JobThreads, ThreadRunControl } from '../runner/job-threads.js';
import { TaskThread } from './task-thread.js';

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/** What a pool is made of. */
export interface ThreadPoolOptions {
  engine: Engine;
  settings: ThreadSettings;
  /** URL of the file that a thread runs first. */
  entry: string;
}

/**
 * Runs each job in a thread: an idle one, or a new one up to `max`; more jobs wait. A run that waits for the result of
 * another job lends its place, so that one more thread may work meanwhile.
 */
export class ThreadPool implements JobThreads {
  private readonly places: Slots;
  private readonly waiting = new Set<() => void>();
  private readonly threads = new Set<TaskThread>();
  /** The one that worked last is the next to work, so that the others can end. */
  private readonly idle: TaskThread[] = [];
  private failures = 0;
  private nextStart = 0;
  private lastFailure?: ThreadStartError;
  private isClosed = false;

  constructor(
    private readonly options: ThreadPoolOptions,
    private readonly logger = new Logger('TasksModule'),
  ) {
    this.places = new Slots(options.settings.max, () => this.letIn());
  }

  async run(job: ActiveJob, control: ThreadRunControl): Promise<Outcome> {
    const place = await this.enter(control.signal);
    try {
      const thread = this.idle.pop() ?? (await this.start());
      clearTimeout(thread.idleTimer);
      try {
        return await thread.run(job, { ...control, slot: bothPlaces(control.slot, place) });
      } finally {
        this.rest(thread);
      }
    } finally {
      place.release();
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.idle.length = 0;
    await Promise.all([...this.threads].map((thread) => (thread.isBusy ? thread.kill() : thread.close())));
  }

  kill(): void {
    for (const thread of this.threads) void thread.kill();
  }

  private enter(signal: AbortSignal): Promise<TakenSlot> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = (): void => {
        this.waiting.delete(goOn);
        reject(signal.reason as Error);
      };
      const goOn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(this.places.take());
      };
      if (this.places.free > 0) return goOn();
      this.waiting.add(goOn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Called when a place is free. */
  private letIn(): void {
    const [next] = this.waiting;
    if (!next) return;
    this.waiting.delete(next);
    next();
  }

  /** Waits longer after each failure, whichever job asks for the thread. */
  private async start(): Promise<TaskThread> {
    if (this.lastFailure && performance.now() < this.nextStart) throw this.lastFailure;
    const { Piscina } = await import('piscina');
    const thread = new TaskThread(Piscina, { ...this.options, onEnd: (ended, error) => this.forget(ended, error) });
    this.threads.add(thread);
    try {
      await thread.boot();
    } catch (error) {
      this.noteFailure(error as ThreadStartError);
      throw error;
    }
    this.failures = 0;
    this.lastFailure = undefined;
    return thread;
  }

  private noteFailure(error: ThreadStartError): void {
    if (this.isClosed) return;
    // Several that began to start together are one failure.
    if (performance.now() < this.nextStart) return;
    this.lastFailure = error;
    this.nextStart = performance.now() + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures++);
    this.logger.error(error.message, (error.cause as Error).stack);
  }

  private rest(thread: TaskThread): void {
    if (thread.isEnded || this.isClosed) return;
    this.idle.push(thread);
    thread.idleTimer = setTimeout(() => {
      this.idle.splice(this.idle.indexOf(thread), 1);
      void thread.close();
    }, this.options.settings.idleTimeout);
    thread.idleTimer.unref();
  }

  private forget(thread: TaskThread, error: Error | undefined): void {
    this.threads.delete(thread);
    const place = this.idle.indexOf(thread);
    if (place >= 0) this.idle.splice(place, 1);
    if (error)
      this.logger.warn(`A worker thread ended between two jobs: ${error.message} Another is started when needed.`);
  }
}

/** A run has a place among its queue's and one among the threads. It takes them back in the order in which it got them. */
function bothPlaces(slot: Slot, place: Slot): Slot {
  return {
    lend: () => {
      const reclaimPlace = place.lend();
      const reclaimSlot = slot.lend();
      return async () => {
        await reclaimSlot();
        await reclaimPlace();
      };
    },
  };
}
