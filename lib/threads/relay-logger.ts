import { Logger, type LoggerService } from '@nestjs/common';
import { inspect } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import { LOG_LEVELS, type FromThread, type LogLevel } from './messages.js';

/** What Nest says of every boot, which would be said again for each thread. */
const CHATTER: readonly LogLevel[] = ['log', 'debug', 'verbose'];

/** Nest logs what a boot throws; the main thread does that too, and knows how often it was said already. */
const TELLS_OF_BOOT = 'ExceptionHandler';

/** Logs through the logger of the main thread, whichever that is. */
export class RelayLogger implements LoggerService {
  /** From then on lines of every level are sent. */
  isBooted = false;

  constructor(private readonly port: MessagePort) {}

  readonly log = (...values: unknown[]): void => this.send('log', values);
  readonly error = (...values: unknown[]): void => this.send('error', values);
  readonly warn = (...values: unknown[]): void => this.send('warn', values);
  readonly debug = (...values: unknown[]): void => this.send('debug', values);
  readonly verbose = (...values: unknown[]): void => this.send('verbose', values);
  readonly fatal = (...values: unknown[]): void => this.send('fatal', values);

  private send(level: LogLevel, values: readonly unknown[]): void {
    if (!this.isBooted && (CHATTER.includes(level) || values.at(-1) === TELLS_OF_BOOT)) return;
    try {
      this.port.postMessage({ type: 'line', level, values } satisfies FromThread);
    } catch {
      // Something in it cannot be sent as it is.
      this.port.postMessage({ type: 'line', level, values: values.map(toText) } satisfies FromThread);
    }
  }
}

/** Writes a line that came from a thread. */
export function writeLine(level: LogLevel, values: readonly unknown[]): void {
  const [message, ...rest] = values;
  if (LOG_LEVELS.includes(level)) Logger[level](message, ...rest);
}

function toText(value: unknown): unknown {
  return value === undefined || typeof value === 'string' ? value : inspect(value);
}
