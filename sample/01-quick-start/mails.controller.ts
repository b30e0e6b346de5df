import { Controller, Get } from '@nestjs/common';
import { SmtpInbox, type ReceivedMail } from './smtp.inbox.js';

@Controller('mails')
export class MailsController {
  constructor(private readonly inbox: SmtpInbox) {}

  @Get()
  list(): readonly ReceivedMail[] {
    return this.inbox.mails;
  }
}
