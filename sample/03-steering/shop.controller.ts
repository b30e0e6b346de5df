import { Controller, Get, Param, Post } from '@nestjs/common';
import { TaskQueue, task, type JobHandle } from 'nestjs-tasks';
import { Bank } from './bank.js';
import { ShopTasks } from './shop.tasks.js';

const shop = task(ShopTasks);

@Controller()
export class ShopController {
  constructor(
    private readonly queue: TaskQueue,
    private readonly tasks: ShopTasks,
    private readonly bank: Bank,
  ) {}

  @Post('shops/:name/sync')
  async sync(@Param('name') name: string) {
    return answer(await this.queue.enqueue(shop.syncStock(name)));
  }

  @Post('products/:id/changes/:change')
  async change(@Param('id') id: string, @Param('change') change: string) {
    return answer(await this.queue.enqueue(shop.index(id, Number(change))));
  }

  @Post('customers/:name/exports')
  async export(@Param('name') name: string) {
    const calls = ['january', 'february', 'march'].map((month) => shop.export(name, month));
    const jobs = await this.queue.enqueueMany(calls, { tags: ['export', `customer:${name}`] });
    return jobs.map(answer);
  }

  @Post('codes/:phone')
  async code(@Param('phone') phone: string) {
    return answer(await this.queue.enqueue(shop.sendCode(phone)));
  }

  @Post('orders/:id/charge')
  async charge(@Param('id') id: string) {
    return answer(await this.queue.enqueue(shop.charge(id), { tags: [`order:${id}`] }));
  }

  @Post('bank/open')
  openBank() {
    this.bank.isOpen = true;
    return { isOpen: true };
  }

  @Get('alerts')
  alerts(): readonly string[] {
    return this.tasks.alerts;
  }
}

function answer({ id, deduplicated }: JobHandle) {
  return { jobId: id, deduplicated };
}
