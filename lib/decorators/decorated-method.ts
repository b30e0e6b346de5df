import {
  contextIndexOf,
  parameterTypesOf,
  schedulesOf,
  tasksOf,
  type ScheduleMetadata,
  type TaskMetadata,
} from './metadata.js';
import { readParameters, type MethodParameters } from './parameters.js';

/** A method with `@Task()` or a schedule, as seen from a class that has or inherits it. */
export interface DecoratedMethod {
  name: string;
  metadata: TaskMetadata;
  schedules: readonly ScheduleMetadata[];
  parameters: MethodParameters;
  /** The declared parameter types; undefined where the compiler wrote none. */
  types?: readonly unknown[];
}

/** A class, concrete or abstract. */
export type ClassRef<T = unknown> = abstract new (...args: never[]) => T;

/** The decorated methods that instances of this prototype have, inherited ones included. */
export function decoratedMethods(prototype: object | null): DecoratedMethod[] {
  return prototypesOf(prototype).flatMap((owner) =>
    [...tasksOf(owner)]
      .filter(([name]) => ownerOf(prototype, name) === owner)
      .map(([name, metadata]) => describe(owner, name, metadata)),
  );
}

/** The decorated method of that name; undefined where the nearest method of that name is not decorated. */
export function decoratedMethod(prototype: object, name: string): DecoratedMethod | undefined {
  const owner = ownerOf(prototype, name);
  const metadata = owner && tasksOf(owner).get(name);
  return metadata && describe(owner, name, metadata);
}

/** Every method name of the class, decorated or not. Getters are not triggered. */
export function methodNames(prototype: object): string[] {
  const names = new Set<string>();
  for (const owner of prototypesOf(prototype)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}

/** The task's name: its own, or `Class.method`. */
export function taskNameOf(provider: { name: string }, { name, metadata }: DecoratedMethod): string {
  return metadata.name ?? `${provider.name}.${name}`;
}

function describe(owner: object, name: string, metadata: TaskMetadata): DecoratedMethod {
  const types = parameterTypesOf(owner, name);
  const parameters = readParameters(metadata.method, types, contextIndexOf(owner, name));
  return { name, metadata, schedules: schedulesOf(owner, name), types, parameters };
}

/** The prototype and those it inherits from, nearest first. */
function prototypesOf(prototype: object | null): object[] {
  const chain: object[] = [];
  for (
    let owner = prototype;
    owner && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    chain.push(owner);
  }
  return chain;
}

function ownerOf(prototype: object | null, name: string): object | undefined {
  let owner = prototype;
  while (owner && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object | null;
  return owner ?? undefined;
}
