import type { ScheduleOptions } from '../contracts/schedule-options.js';
import type { TaskOptions } from '../contracts/task-options.js';

/** The options that are the schedule's own; all others are its task's. */
export const SCHEDULE_OPTIONS = [
  'name',
  'timeZone',
  'overlap',
  'catchUp',
  'catchUpWindow',
  'jitter',
  'runOnStart',
  'disabled',
  'startAt',
  'endAt',
  'limit',
] as const satisfies readonly (keyof ScheduleOptions)[];

/** The options of a schedule that are meant for its task. */
export function taskOptionsOf(options: Readonly<ScheduleOptions>): Omit<TaskOptions, 'name'> {
  const rest: ScheduleOptions = { ...options };
  for (const option of SCHEDULE_OPTIONS) delete rest[option];
  return rest;
}
