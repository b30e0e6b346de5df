import { Controller, Delete, Get, NotFoundException, Param, Post, Query } from '@nestjs/common';
import { TaskQueue } from 'nestjs-tasks';

@Controller('jobs')
export class JobsController {
  constructor(private readonly queue: TaskQueue) {}

  @Get(':id')
  async find(@Param('id') id: string) {
    const info = await this.queue.job(id).info();
    if (!info) throw new NotFoundException(`No job has the id '${id}': none ever had, or it is no longer kept.`);
    return info;
  }

  @Delete(':id')
  async cancel(@Param('id') id: string) {
    return { cancelled: await this.queue.job(id).cancel() };
  }

  @Delete()
  async cancelTagged(@Query('tag') tag: string) {
    return { cancelled: await this.queue.cancel({ tag }) };
  }

  @Post(':id/retry')
  async retry(@Param('id') id: string) {
    return { retried: await this.queue.job(id).retry() };
  }
}
