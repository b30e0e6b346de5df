import type { Duration } from './duration.js';
import type { Overlap } from './engine-schedules.js';
import type { JobState } from './job.js';
import type { CronFields } from './schedule.js';
import type { Signature } from './signature.js';
import type { TaskOptions } from './task-options.js';

/** What is made up of the ticks that were due while no worker was alive: nothing, the last one, or each in turn. */
export type CatchUp = 'none' | 'last' | 'all';

/** How the ticks of a schedule become jobs. */
export interface ScheduleRules {
  /**
   * What happens to a tick while the last run has not ended, in the whole cluster: it is skipped, it runs after that one,
   * or it runs beside it. @default 'skip'
   */
  overlap?: Overlap;
  /** @default 'none' */
  catchUp?: CatchUp;
  /** What was due longer ago is not made up. @default '1h' */
  catchUpWindow?: Duration;
  /** Each job starts up to so much later than its tick; how much later is the same for the same tick. @default 0 */
  jitter?: Duration;
  /** The first instant at which it may be due. */
  startAt?: Date;
  /** The last instant at which it may be due. */
  endAt?: Date;
  /** Most jobs that its ticks make. Absent: no limit. */
  limit?: number;
}

/** Options of `@Cron()`: those of `@Task()`, but that `name` is the schedule's, and how its ticks become jobs. */
export interface ScheduleOptions extends TaskOptions, ScheduleRules {
  /** The schedule's name; the task keeps its own. @default the task's name */
  name?: string;
  /** Whose clock on the wall, by its IANA name, such as `'Europe/Paris'`. @default 'UTC' */
  timeZone?: string;
  /** Also runs when a deploy begins: once for each `deploy` of `forRoot`, in the whole cluster. @default false */
  runOnStart?: boolean;
  /** Makes no jobs, and stays listed. @default false */
  disabled?: boolean;
}

/** A schedule that is made at run time, and kept in the engine. */
export type ScheduleDefinition = ScheduleRules & {
  name: string;
  /** The call that each tick makes. */
  signature: Signature<unknown>;
} & (
    | {
        cron: string | CronFields;
        /** @default 'UTC' */
        timeZone?: string;
      }
    | { every: Duration }
  );

/** What is known of a schedule. */
export interface ScheduleInfo {
  name: string;
  task: string;
  /** `declared` by a decorator, or `set` at run time. */
  source: 'declared' | 'set';
  /** As it was written, fields as JSON. */
  when: string;
  timeZone: string;
  overlap: Overlap;
  catchUp: CatchUp;
  disabled: boolean;
  paused?: { reason?: string; since: Date };
  /** Absent where none is to come. */
  nextTick?: Date;
  /** The last one that made a job. */
  lastTick?: Date;
  /** Of that job; `unknown` once nothing is known of it. */
  lastState?: JobState;
  /** Ticks that nobody enqueued. */
  missed: number;
  /** Ticks that made no job, because an earlier run had not ended. */
  skipped: number;
  /** Jobs that it may still make; absent where it has no limit. */
  left?: number;
}
