import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string[];
  subject: string;
  text: string;
}

/** A mail server for this sample alone: takes mail on a free local port and keeps the last 100 in memory. */
@Injectable()
export class SmtpInbox implements OnModuleInit, OnModuleDestroy {
  private readonly received: ReceivedMail[] = [];
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, session, done) => {
      text(stream).then(
        (source) => {
          const { mailFrom, rcptTo } = session.envelope;
          const to = rcptTo.map((recipient) => recipient.address);
          this.received.unshift({ from: mailFrom ? mailFrom.address : '', to, ...parse(source) });
          this.received.length = Math.min(this.received.length, 100);
          done();
        },
        (error: Error) => done(error),
      );
    },
  });

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  /** Newest first. */
  get mails(): readonly ReceivedMail[] {
    return this.received;
  }

  async onModuleInit(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
  }

  async onModuleDestroy(): Promise<void> {
    await new Promise<void>((closed) => this.server.close(() => closed()));
  }
}

/** Enough for the plain mails of this sample; a real inbox needs a real parser. */
function parse(source: string): { subject: string; text: string } {
  const end = source.indexOf('\r\n\r\n');
  const subject = /^subject: (.*)$/im.exec(source.slice(0, end))?.[1] ?? '';
  return { subject: subject.trim(), text: source.slice(end).trim() };
}
