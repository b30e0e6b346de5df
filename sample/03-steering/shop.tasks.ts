import { Injectable } from '@nestjs/common';
import { Ctx, Task, task, TaskContext } from 'nestjs-tasks';
import { setTimeout } from 'node:timers/promises';
import { Bank } from './bank.js';

@Injectable()
export class ShopTasks {
  readonly alerts: string[] = [];

  constructor(private readonly bank: Bank) {}

  /** Unique: while a shop is being synchronized, or waits for it, further calls answer with that job. */
  @Task({ unique: { until: 'finished' }, tags: ['sync'] })
  async syncStock(shop: string, @Ctx() context: TaskContext): Promise<string> {
    for (let page = 1; page <= 20; page++) {
      // Cancelling aborts the signal, and ends the wait.
      await setTimeout(500, undefined, { signal: context.signal });
      await context.progress({ page, pages: 20 });
    }
    return shop;
  }

  /** Debounced: each change takes the place of the one before, so that a burst of changes is indexed once. */
  @Task({ delay: '1s', unique: { key: (product: string) => product, until: 'started', onConflict: 'replace' } })
  index(product: string, change: number): { product: string; change: number } {
    return { product, change };
  }

  /** Limited: one export at a time for each customer, in the whole cluster; other customers are not held up. */
  @Task({ priority: 'low', concurrency: { max: 1, key: (customer: string) => customer } })
  async export(customer: string, month: string, @Ctx() context: TaskContext): Promise<string> {
    await setTimeout(1_000, undefined, { signal: context.signal });
    return `${customer}-${month}.csv`;
  }

  /** Never more than two starts in any two seconds: what the provider of the messages allows. */
  @Task({ priority: 'high', expires: '5s', rateLimit: { max: 2, per: '2s' } })
  sendCode(phone: string): string {
    return `A code was sent to ${phone}.`;
  }

  /** Followed by an alert once its last attempt has failed. */
  @Task({
    attempts: 2,
    backoff: '200ms',
    onFailed: ({ id, error }) => task(ShopTasks).alert(`Job ${id}: ${error.message}`),
  })
  charge(order: string): { order: string; paid: boolean } {
    return this.bank.charge(order);
  }

  @Task({ priority: 'high' })
  alert(text: string): void {
    this.alerts.push(text);
  }
}
