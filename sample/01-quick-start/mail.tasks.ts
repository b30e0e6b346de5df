import { Injectable } from '@nestjs/common';
import { Task } from 'nestjs-tasks';
import { Mailer, type Mail, type Receipt } from './mailer.js';

@Injectable()
export class MailTasks {
  constructor(private readonly mailer: Mailer) {}

  @Task({ attempts: 5, timeout: '1m' })
  async sendEmail(mail: Mail): Promise<Receipt> {
    return this.mailer.send(mail);
  }
}
