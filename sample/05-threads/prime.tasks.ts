import { Injectable } from '@nestjs/common';
import { Ctx, Task, TaskContext } from 'nestjs-tasks';
import { threadId } from 'node:worker_threads';
import { Sieve } from './sieve.js';

const STEPS = 20;

@Injectable()
export class PrimeTasks {
  constructor(private readonly sieve: Sieve) {}

  /** Holds up nobody but its own thread. */
  @Task({ isolate: 'thread', timeout: '30s', attempts: 2, backoff: '1s' })
  async count(limit: number, @Ctx() context: TaskContext): Promise<{ primes: number; thread: number }> {
    let primes = 0;
    for (let step = 0; step < STEPS; step++) {
      primes += this.sieve.count(Math.ceil((limit * step) / STEPS), Math.ceil((limit * (step + 1)) / STEPS));
      await context.progress({ done: step + 1, total: STEPS });
    }
    return { primes, thread: threadId };
  }

  /** The same on the event loop, where everything else waits for it. */
  @Task({ attempts: 1 })
  countHere(limit: number): { primes: number; thread: number } {
    return { primes: this.sieve.count(0, limit), thread: threadId };
  }

  /** Needs more memory than its thread may use. */
  @Task({ isolate: 'thread', attempts: 1 })
  hoard(): never {
    const hoard: unknown[] = [];
    for (;;) hoard.push(Array.from({ length: 1_000 }, (_, index) => ({ index })));
  }

  /** Never ends by itself. */
  @Task({ isolate: 'thread', attempts: 1, timeout: '2s' })
  spin(): never {
    for (;;);
  }
}
