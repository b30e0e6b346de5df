import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
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
}
