import 'reflect-metadata';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../contracts/duration.js';
import type { ScheduleOptions } from '../contracts/schedule-options.js';
import type { CronFields } from '../contracts/schedule.js';
import type { TaskRef } from '../contracts/signature.js';
import type { EnqueueOptions } from '../contracts/task.js';
import type { TaskOptions } from '../contracts/task-options.js';
import { taskOptionsOf } from './schedule-parts.js';

/*
 * The one owner of the keys. Everything is recorded on the prototype under the method's name, where TypeScript puts
 * `design:paramtypes` too: on the function it would be lost as soon as another decorator wraps the method.
 */
const TASKS = 'nestjs-tasks:tasks';
const SCHEDULES = 'nestjs-tasks:schedules';
const CONTEXT = 'nestjs-tasks:context';

/** What `@Task()` records. */
export interface TaskMetadata {
  /** Set by a contract or the `name` option; absent: `Class.method`. */
  name?: string;
  options: Readonly<TaskOptions>;
  /** The caller's defaults of the contract that the method implements. */
  contractOptions?: Readonly<EnqueueOptions>;
  contractSchema?: StandardSchemaV1;
  /** The method as `@Task()` found it, before decorators above it wrapped it. */
  method: object;
  /** Whether a schedule made the method a task, and `@Task()` did not. */
  isImplied?: boolean;
}

/** What `@Cron()` and `@Interval()` record. */
export interface ScheduleMetadata {
  decorator: '@Cron()' | '@Interval()';
  when: { cron: string | CronFields } | { every: Duration };
  options: Readonly<ScheduleOptions>;
}

/** A ref made by `task(name, options)`, whose options discovery reads as well. */
export interface TaskContract<A extends unknown[], R> extends TaskRef<A, R> {
  readonly options?: Readonly<EnqueueOptions>;
  readonly schema?: StandardSchemaV1;
}

const NONE: ReadonlyMap<string, TaskMetadata> = new Map();

export function recordTask(prototype: object, method: string, metadata: TaskMetadata): void {
  const tasks = new Map(tasksOf(prototype)).set(method, metadata);
  Reflect.defineMetadata(TASKS, tasks, prototype);
}

/** A scheduled method is a task, whether or not `@Task()` says so above or below. */
export function recordSchedule(prototype: object, name: string, schedule: ScheduleMetadata, method: object): void {
  const schedules = (Reflect.getOwnMetadata(SCHEDULES, prototype) ?? new Map()) as Map<string, ScheduleMetadata[]>;
  // Decorators are called from the last to the first.
  schedules.set(name, [schedule, ...(schedules.get(name) ?? [])]);
  Reflect.defineMetadata(SCHEDULES, schedules, prototype);
  const task = tasksOf(prototype).get(name);
  if (task && !task.isImplied) return;
  // Of several schedules none speaks for the task.
  const options = task ? {} : taskOptionsOf(schedule.options);
  recordTask(prototype, name, { options, method: task?.method ?? method, isImplied: true });
}

/** The schedules declared on a method of this very prototype, in the order in which they are written. */
export function schedulesOf(prototype: object, method: string): readonly ScheduleMetadata[] {
  const schedules = Reflect.getOwnMetadata(SCHEDULES, prototype) as Map<string, ScheduleMetadata[]> | undefined;
  return schedules?.get(method) ?? [];
}

/** The tasks declared on this very prototype, those it inherits not included. */
export function tasksOf(prototype: object): ReadonlyMap<string, TaskMetadata> {
  return (Reflect.getOwnMetadata(TASKS, prototype) as Map<string, TaskMetadata> | undefined) ?? NONE;
}

export function recordContext(prototype: object, method: string | symbol, index: number): void {
  Reflect.defineMetadata(CONTEXT, index, prototype, method);
}

/** The index of the parameter marked by `@Ctx()`. */
export function contextIndexOf(prototype: object, method: string): number | undefined {
  return Reflect.getOwnMetadata(CONTEXT, prototype, method) as number | undefined;
}

/** The declared parameter types; undefined where the compiler wrote none. */
export function parameterTypesOf(prototype: object, method: string): readonly unknown[] | undefined {
  return Reflect.getOwnMetadata('design:paramtypes', prototype, method) as unknown[] | undefined;
}
