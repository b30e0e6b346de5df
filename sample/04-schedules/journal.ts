import { Injectable, Logger } from '@nestjs/common';

/** What the tasks have done, the latest last. */
@Injectable()
export class Journal {
  readonly lines: string[] = [];
  private readonly logger = new Logger('Reports');

  write(line: string): void {
    this.lines.push(line);
    if (this.lines.length > 100) this.lines.shift();
    this.logger.log(line);
  }
}
