import type { Duration } from '../contracts/duration.js';
import type { ScheduleOptions } from '../contracts/schedule-options.js';
import type { CronFields } from '../contracts/schedule.js';
import type { CallArgs } from '../contracts/signature.js';
import { recordSchedule, type ScheduleMetadata } from './metadata.js';

/** A method that can be called without arguments; a `TaskContext` is none. */
type WithoutArguments<F extends (...args: never[]) => unknown> = [] extends CallArgs<Parameters<F>> ? unknown : never;

/** Decorates a method that can be called without arguments. */
export type ScheduleDecorator = <F extends (...args: never[]) => unknown>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<F> & WithoutArguments<F>,
) => void;

/**
 * Makes a method a task that runs at the times of a clock, once in the whole cluster.
 *
 * Several schedules, each with a `name`, and `@Task()` may stand on one method. Checked when the application starts.
 *
 * @param when cron text of five or six fields, `'@daily'` and its like, a `CronExpression`, or an object of fields
 *
 * @example
 * ```ts
 * @Cron('0 2 * * *', { timeZone: 'Europe/Paris', catchUp: 'last' })
 * async dailyReport(@Ctx() context: TaskContext): Promise<void> {}
 * ```
 */
export function Cron(when: string | CronFields, options: ScheduleOptions = {}): ScheduleDecorator {
  return decorate('@Cron()', { cron: when }, options);
}

/**
 * Makes a method a task that runs again and again, once in the whole cluster. Intervals are counted from the epoch, so
 * that every instance agrees: `'1h'` is due on the hour (UTC), whenever the application was started.
 *
 * @param every at least 1 ms
 *
 * @example
 * ```ts
 * @Interval('90s')
 * async cleanUp(): Promise<void> {}
 * ```
 */
export function Interval(every: Duration, options: Omit<ScheduleOptions, 'timeZone'> = {}): ScheduleDecorator {
  return decorate('@Interval()', { every }, options);
}

function decorate(
  decorator: ScheduleMetadata['decorator'],
  when: ScheduleMetadata['when'],
  options: ScheduleOptions,
): ScheduleDecorator {
  return (target, method, descriptor) =>
    recordSchedule(target, method, { decorator, when, options }, descriptor.value as object);
}
