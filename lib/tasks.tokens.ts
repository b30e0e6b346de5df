import type { FactoryProvider } from '@nestjs/common';

export const TASKS_SETTINGS = Symbol('TASKS_SETTINGS');
/** The engine, behind the codec where there is one: what is read of it and given to it is plain. */
export const TASKS_ENGINE = Symbol('TASKS_ENGINE');
/** The engine that stores jobs, as they are stored: for what belongs to one kind of engine, such as Bull's queues. */
export const STORING_ENGINE = Symbol('STORING_ENGINE');
/** Where the time comes from for all that is due later. */
export const TASKS_CLOCK = Symbol('TASKS_CLOCK');
/** Answers the registry; made at the first call, when every provider has its instance. */
export const TASK_REGISTRY = Symbol('TASK_REGISTRY');

/** A provider that is made of others. */
export function provide<A extends unknown[], T>(
  token: FactoryProvider['provide'],
  inject: NonNullable<FactoryProvider['inject']>,
  useFactory: (...dependencies: A) => T,
): FactoryProvider {
  return { provide: token, inject, useFactory: useFactory as FactoryProvider['useFactory'] };
}
