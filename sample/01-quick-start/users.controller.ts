import { Controller, Param, Post } from '@nestjs/common';
import { TaskQueue, task } from 'nestjs-tasks';
import { MailTasks } from './mail.tasks.js';

@Controller('users')
export class UsersController {
  constructor(private readonly queue: TaskQueue) {}

  @Post(':id/welcome')
  async welcome(@Param('id') id: string) {
    const job = await this.queue.enqueue(task(MailTasks).sendEmail({ to: `${id}@example.com`, subject: 'Welcome!' }));
    return { jobId: job.id, status: 'queued' };
  }
}
