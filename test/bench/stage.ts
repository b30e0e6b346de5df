import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counts, Handler, Producer, System, Worker } from './systems/system.js';
import { Tally } from './tally.js';

/** How long a duplicate gets to show up after the last job, in ms. */
const AFTERMATH = 150;

/** How long a finished job may take to leave the queue, in ms. */
const LEAVE_WITHIN = 10_000;

/** What a row works with: the system, and the server beside it. */
export class Stage {
  private readonly client: Redis;
  private readonly workers = new Set<Worker>();
  private opened: Producer | undefined;

  constructor(
    readonly system: System,
    /** Jobs of this run, as the row and the mode have it. */
    readonly jobs: number,
    port: number,
  ) {
    this.client = new Redis(port, '127.0.0.1');
  }

  async producer(): Promise<Producer> {
    return (this.opened ??= await this.system.produce());
  }

  async work(concurrency: number, handler: Handler): Promise<Worker> {
    const started = await this.system.work(concurrency, handler);
    const worker: Worker = {
      close: async () => {
        if (this.workers.delete(worker)) await started.close();
      },
    };
    this.workers.add(worker);
    return worker;
  }

  /** Runs what was only enqueued, so that each job is seen to be there once. */
  async drain(tally: Tally): Promise<void> {
    await this.work(50, async ({ i }) => void tally.note(i));
    await tally.all();
    await this.expectExact(tally);
  }

  /** Waits until the queue is empty, and for runs that should not come; then counts. */
  async expectExact(tally: Tally): Promise<void> {
    const giveUpAt = Date.now() + LEAVE_WITHIN;
    const producer = await this.producer();
    let left = await producer.counts();
    while (sum(left) > 0 && Date.now() < giveUpAt) {
      await sleep(20);
      left = await producer.counts();
    }
    await sleep(AFTERMATH);
    tally.check();
    if (sum(left) > 0) throw new Error(`Delivery is not exact: the queue still holds ${JSON.stringify(left)}.`);
  }

  /** CPU time that Redis has used so far, in µs. */
  async redisCpu(): Promise<number> {
    const info = await this.client.info('cpu');
    return (read(info, 'used_cpu_user') + read(info, 'used_cpu_sys')) * 1e6;
  }

  /** In bytes. */
  async redisMemory(): Promise<number> {
    return read(await this.client.info('memory'), 'used_memory');
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.close()));
    await this.opened?.close();
    this.client.disconnect();
  }
}

function sum({ waiting, active, delayed, failed }: Counts): number {
  return waiting + active + delayed + failed;
}

function read(info: string, field: string): number {
  const [, value] = new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info) ?? [];
  if (value === undefined) throw new Error(`Redis tells no ${field}.`);
  return Number(value);
}
