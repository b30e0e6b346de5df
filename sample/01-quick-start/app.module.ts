import { Module } from '@nestjs/common';
import { TasksModule } from 'nestjs-tasks';
import { ImageStorage } from './image.storage.js';
import { JobsController } from './jobs.controller.js';
import { MailTasks } from './mail.tasks.js';
import { Mailer } from './mailer.js';
import { MailsController } from './mails.controller.js';
import { SmtpInbox } from './smtp.inbox.js';
import { UploadTasks } from './upload.tasks.js';
import { UploadsController } from './uploads.controller.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [TasksModule.forRoot({ redis: process.env.REDIS_URL })],
  controllers: [UsersController, MailsController, UploadsController, JobsController],
  providers: [MailTasks, Mailer, SmtpInbox, UploadTasks, ImageStorage],
})
export class AppModule {}
