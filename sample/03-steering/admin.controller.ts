import { Controller, Delete, Get, Post, Query } from '@nestjs/common';
import { TaskAdmin, TaskQueue, type JobFilter } from 'nestjs-tasks';

/** What an operator may do. A real application lets operators in only. */
@Controller('admin')
export class AdminController {
  constructor(
    private readonly admin: TaskAdmin,
    private readonly queue: TaskQueue,
  ) {}

  @Get('counts')
  counts() {
    return this.admin.counts();
  }

  @Get('jobs')
  list(@Query() filter: JobFilter & { cursor?: string }) {
    return this.admin.list({ ...filter, limit: 20 });
  }

  /** The dead letters: every failed job that matches starts afresh. */
  @Post('retry')
  async retry(@Query() filter: JobFilter) {
    return { retried: await this.admin.retry({ state: 'failed', ...filter }) };
  }

  @Delete('jobs')
  async remove(@Query() filter: JobFilter) {
    return { removed: await this.admin.remove(filter) };
  }

  @Post('pause')
  async pause() {
    await this.queue.pause('default');
    return { paused: true };
  }

  @Post('resume')
  async resume() {
    await this.queue.resume('default');
    return { paused: false };
  }
}
