import { Logger } from '@nestjs/common';
import type { NewTick, TickAnswer } from '../contracts/engine-schedules.js';
import type { TaskEvent } from '../contracts/events.js';
import type { Due } from './due-ticks.js';
import type { PlannedSchedule } from './planned-schedule.js';

/** A tick that comes later than this is made up, in milliseconds. */
const LATE_AFTER = 1_000;

/** Of one schedule and kind at most one line in so many milliseconds. */
const LINE_EVERY = 60_000;

/** Schedules may come and go for ever. */
const MOST_QUIET = 10_000;

/** Tells of ticks that made no job, and of those that were made up: in the log, and as events. */
export class TickReport {
  /** When a line may come again, and how many were left out. */
  private readonly quiet = new Map<string, { until: number; leftOut: number }>();

  constructor(
    private readonly emit: (event: TaskEvent) => void,
    private readonly logger: Pick<Logger, 'log' | 'warn' | 'error'> = new Logger('TaskSchedules'),
  ) {}

  answered(schedule: PlannedSchedule, tick: NewTick, due: Due, answer: TickAnswer, now: number): void {
    if (answer.type === 'skipped') {
      this.tell('skipped', schedule, due);
      const reason = answer.by === undefined ? 'its last run has not ended' : `job ${answer.by} has its unique key`;
      this.write('warn', 'skipped', schedule, now, `skipped the tick of ${when(due.at)}: ${reason}`);
    }
    const isLate = now - due.at > LATE_AFTER;
    if (answer.type !== 'accepted' || (due.missed === 0 && !isLate)) return;
    if (due.isInTime && !isLate) {
      this.write('log', 'missed', schedule, now, `missed ${due.missed} before the tick of ${when(due.at)}`);
      return;
    }
    this.tell('caughtUp', schedule, due, tick.job.id);
    const missed = due.missed > 0 ? `, after ${due.missed} that were missed` : '';
    this.write('log', 'caughtUp', schedule, now, `made up the tick of ${when(due.at)}${missed}`);
  }

  /** The call of a schedule could not be made. */
  refused(schedule: PlannedSchedule, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.write('error', 'refused', schedule, Date.now(), `makes no job: ${reason}`);
  }

  private tell(
    name: 'skipped' | 'caughtUp',
    { name: schedule, task, queue }: PlannedSchedule,
    due: Due,
    jobId?: string,
  ): void {
    const event: TaskEvent = { name, task, queue, at: new Date(), schedule, tick: new Date(due.at) };
    this.emit(jobId === undefined ? event : { ...event, jobId });
  }

  private write(
    level: 'log' | 'warn' | 'error',
    kind: string,
    { name }: PlannedSchedule,
    now: number,
    line: string,
  ): void {
    const key = `${kind}:${name}`;
    const quiet = this.quiet.get(key);
    if (quiet && now < quiet.until) {
      quiet.leftOut++;
      return;
    }
    if (this.quiet.size >= MOST_QUIET) this.quiet.clear();
    this.quiet.set(key, { until: now + LINE_EVERY, leftOut: 0 });
    const more = quiet && quiet.leftOut > 0 ? ` (and ${quiet.leftOut} more times since the last line)` : '';
    this.logger[level](`Schedule ${name} ${line}${more}.`);
  }
}

function when(instant: number): string {
  return new Date(instant).toISOString();
}
