import { Cron } from 'croner';
import type { CronFields } from '../contracts/schedule.js';
import type { FieldValues } from './cron-field.js';

/** What each field of a cron lets through. */
export interface CronValues extends Readonly<Record<keyof CronFields, FieldValues>> {
  /** Whether a day must fit `day` and `weekday`. False: one of them, where both are restricted. */
  readonly bothDays: boolean;
}

/**
 * The wall times that a cron names, on a wall whose clock never changes; wall times are as in `Zone`.
 *
 * The parser's part is the calendar only: it gets values, never text of the user, and knows no time zone, so that what
 * a tick is on the nights when a clock changes is decided in one place, `CronRule`.
 */
export class Calendar {
  private readonly cron: Cron;

  constructor(values: CronValues) {
    const { second, minute, hour, day, month, weekday, bothDays } = values;
    const pattern = [second, minute, hour, day, month, weekday].map(toText).join(' ');
    this.cron = new Cron(pattern, { mode: '6-part', utcOffset: 0, domAndDow: bothDays, paused: true });
  }

  /** The first named wall time after `wall`; undefined when there is none before the year 3000. */
  after(wall: number): number | undefined {
    return this.cron.nextRun(new Date(wall))?.getTime();
  }

  /** The last named wall time before `wall`. */
  before(wall: number): number | undefined {
    return this.cron.previousRuns(1, new Date(wall)).at(0)?.getTime();
  }
}

function toText({ isAny, values, modifiers }: FieldValues): string {
  return isAny ? '*' : [...values, ...modifiers].join(',');
}
