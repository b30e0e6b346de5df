import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { TaskSchedules } from 'nestjs-tasks';
import { Journal } from './journal.js';

@Controller()
export class SchedulesController {
  constructor(
    private readonly schedules: TaskSchedules,
    private readonly registry: SchedulerRegistry,
    private readonly journal: Journal,
  ) {}

  @Get('journal')
  read() {
    return this.journal.lines;
  }

  @Get('schedules')
  list() {
    return this.schedules.list();
  }

  /** What @nestjs/schedule knows of this process. */
  @Get('registry')
  registered() {
    return { cronJobs: [...this.registry.getCronJobs().keys()], intervals: this.registry.getIntervals() };
  }

  @Get('schedules/:name/next')
  next(@Param('name') name: string, @Query('count') count = '3') {
    return this.schedules.next(name, Number(count));
  }

  @Post('schedules/:name/trigger')
  async trigger(@Param('name') name: string) {
    const job = await this.schedules.trigger(name);
    return { jobId: job.id };
  }

  @Post('schedules/:name/pause')
  async pause(@Param('name') name: string, @Body('reason') reason?: string) {
    await this.schedules.pause(name, reason);
    return { paused: true };
  }

  @Post('schedules/:name/resume')
  async resume(@Param('name') name: string) {
    await this.schedules.resume(name);
    return { paused: false };
  }
}
