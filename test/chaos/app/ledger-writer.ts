import { Injectable } from '@nestjs/common';
import { openSync, writeSync } from 'node:fs';

/** Writes down what happens, in a file that outlives the process: each line is with the system before the next step. */
@Injectable()
export class LedgerWriter {
  private readonly file: number;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  write(line: string): void {
    writeSync(this.file, line);
  }
}
