import type { DiscoveryService } from '@nestjs/core';
import { decoratedMethods, taskNameOf, type ClassRef, type DecoratedMethod } from '../decorators/decorated-method.js';

/** A provider or controller as Nest's container holds it. */
export type NestProvider = ReturnType<DiscoveryService['getProviders']>[number];

/** What matters of a provider or controller. */
export interface TaskProvider {
  token: NonNullable<NestProvider['token']>;
  /** The module that provides it. */
  module: string;
  /** Absent: one is made for each run. */
  instance?: object;
  /** The token's class before the instance's, so that an overridden or mocked provider keeps its tasks and their names. */
  classes: readonly ClassRef[];
}

/** A task of one provider. */
export interface ProvidedTask {
  name: string;
  /** Where it is declared, for messages: `MailTasks.sendEmail`. */
  place: string;
  /** The class that names the task. */
  namedBy: ClassRef;
  method: DecoratedMethod;
  provider: TaskProvider;
}

/** Undefined for what can have no tasks, and for an alias: the provider behind it is in the container too. */
export function readProvider(wrapper: NestProvider): TaskProvider | undefined {
  const { token, metatype } = wrapper;
  if (wrapper.isAlias || token === undefined || token === null) return undefined;
  const module = wrapper.host?.name ?? 'an unknown module';
  const isMadePerRun = wrapper.isTransient || !wrapper.isDependencyTreeStatic();
  if (isMadePerRun) {
    return { token, module, classes: classesAmong(token, wrapper.isNotMetatype ? undefined : metatype) };
  }
  const instance: unknown = wrapper.instance;
  if (typeof instance !== 'object' || instance === null) return undefined;
  const prototype = Object.getPrototypeOf(instance) as { constructor?: unknown } | null;
  return { token, module, instance, classes: classesAmong(token, prototype?.constructor) };
}

/** The tasks of a provider, each under the first of its classes that has the method decorated. */
export function tasksOfProvider(provider: TaskProvider): ProvidedTask[] {
  const tasks = new Map<string, ProvidedTask>();
  for (const namedBy of provider.classes) {
    for (const method of decoratedMethods(namedBy.prototype as object)) {
      if (tasks.has(method.name) || !hasMethod(provider, method.name)) continue;
      const place = `${namedBy.name}.${method.name}`;
      tasks.set(method.name, { name: taskNameOf(namedBy, method), place, namedBy, method, provider });
    }
  }
  return [...tasks.values()];
}

/** A mock may lack methods. What a factory makes for each run is known only then. */
function hasMethod({ instance, classes }: TaskProvider, name: string): boolean {
  if (instance) return typeof (instance as Record<string, unknown>)[name] === 'function';
  return name in (classes.at(-1)!.prototype as object);
}

function classesAmong(...candidates: unknown[]): ClassRef[] {
  return [...new Set(candidates)].filter(
    (one): one is ClassRef => typeof one === 'function' && isObject(one.prototype),
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
