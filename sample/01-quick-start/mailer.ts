import { Injectable } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { SmtpInbox } from './smtp.inbox.js';

export interface Mail {
  to: string;
  subject: string;
}

export interface Receipt {
  messageId: string;
  accepted: string[];
}

@Injectable()
export class Mailer {
  constructor(private readonly inbox: SmtpInbox) {}

  async send(mail: Mail): Promise<Receipt> {
    const transport = createTransport({ host: '127.0.0.1', port: this.inbox.port, ignoreTLS: true });
    const sent = await transport.sendMail({ from: 'sample@example.com', text: 'Thanks for signing up.', ...mail });
    return { messageId: sent.messageId, accepted: sent.accepted.map(String) };
  }
}
