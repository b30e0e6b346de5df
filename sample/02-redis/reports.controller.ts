import { Controller, Get, NotFoundException, Param, Post } from '@nestjs/common';
import { TaskQueue, task } from 'nestjs-tasks';
import { ReportTasks } from './report.tasks.js';

@Controller('reports')
export class ReportsController {
  constructor(private readonly queue: TaskQueue) {}

  @Post(':title')
  async write(@Param('title') title: string) {
    const job = await this.queue.enqueue(task(ReportTasks).write(title, 10));
    return { jobId: job.id, status: 'queued' };
  }

  @Get(':jobId')
  async find(@Param('jobId') jobId: string) {
    const info = await this.queue.job(jobId).info();
    if (!info) throw new NotFoundException(`No job has the id '${jobId}': none ever had, or it is no longer kept.`);
    return info;
  }
}
