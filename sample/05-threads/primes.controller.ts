import { Controller, Delete, Get, NotFoundException, Param, ParseIntPipe, Post } from '@nestjs/common';
import { TaskQueue, task, type JobHandle } from 'nestjs-tasks';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PrimeTasks } from './prime.tasks.js';

@Controller()
export class PrimesController {
  private readonly delay = monitorEventLoopDelay({ resolution: 10 });

  constructor(private readonly queue: TaskQueue) {
    this.delay.enable();
  }

  @Post('primes/:limit')
  async count(@Param('limit', ParseIntPipe) limit: number) {
    return queued(await this.queue.enqueue(task(PrimeTasks).count(limit)));
  }

  @Post('primes/:limit/here')
  async countHere(@Param('limit', ParseIntPipe) limit: number) {
    return queued(await this.queue.enqueue(task(PrimeTasks).countHere(limit)));
  }

  @Post('hoard')
  async hoard() {
    return queued(await this.queue.enqueue(task(PrimeTasks).hoard()));
  }

  @Post('spin')
  async spin() {
    return queued(await this.queue.enqueue(task(PrimeTasks).spin()));
  }

  @Get('jobs/:id')
  async find(@Param('id') id: string) {
    const info = await this.queue.job(id).info();
    if (!info) throw new NotFoundException(`No job has the id '${id}': none ever had, or it is no longer kept.`);
    return info;
  }

  @Delete('jobs/:id')
  async cancel(@Param('id') id: string) {
    return { cancelled: await this.queue.job(id).cancel() };
  }

  /** How late the event loop was at most since the last call, in milliseconds. */
  @Get('late')
  late() {
    const late = Math.round(this.delay.max / 1e6);
    this.delay.reset();
    return { late };
  }
}

function queued({ id }: JobHandle) {
  return { jobId: id, status: 'queued' };
}
