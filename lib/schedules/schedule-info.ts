import type { ScheduleState } from '../contracts/engine-schedules.js';
import { toDate } from '../contracts/job-view.js';
import type { ScheduleInfo } from '../contracts/schedule-options.js';
import type { PlannedSchedule } from './planned-schedule.js';

/** What is known of a schedule, as callers see it. */
export function toScheduleInfo(schedule: PlannedSchedule, state: ScheduleState | undefined, now: number): ScheduleInfo {
  const { name, task, source, rule, overlap, catchUp, disabled, limit } = schedule;
  const left = limit === undefined ? undefined : Math.max(0, limit - (state?.count ?? 0));
  const info: ScheduleInfo = {
    name,
    task,
    source,
    when: rule.when,
    timeZone: rule.timeZone,
    overlap,
    catchUp,
    disabled,
    nextTick: disabled || left === 0 ? undefined : toDate(rule.next(now)),
    lastTick: toDate(state?.lastTick),
    lastState: state?.lastState,
    missed: state?.missed ?? 0,
    skipped: state?.skipped ?? 0,
  };
  if (state?.pause) info.paused = { ...state.pause, since: new Date(state.pause.since) };
  if (left !== undefined) info.left = left;
  return info;
}
