import { Injectable } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { DuplicateTaskError, InvalidTaskError, type TasksError } from '../contracts/errors.js';
import type { Redact } from '../contracts/redaction.js';
import { TaskContext } from '../contracts/task-context.js';
import { tasksOf } from '../decorators/metadata.js';
import type { TaskDefinition } from './task-definition.js';
import { findScheduleProblems } from './schedule-options.js';
import { invokeFitting, invokeOnInstance, invokePerRun } from './task-invocation.js';
import { findOptionProblems } from './task-options.js';
import { findSchedulesOfNest } from './schedules-of-nest.js';
import { readProvider, tasksOfProvider, type NestProvider, type ProvidedTask } from './task-provider.js';

/** What was found, and all that is wrong with it. */
export interface ExploredTasks {
  tasks: readonly TaskDefinition[];
  problems: readonly TasksError[];
  warnings: readonly string[];
}

/** Finds the tasks of every provider and controller. Answers plain data and acts on nothing. */
@Injectable()
export class TaskExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly moduleRef: ModuleRef,
  ) {}

  /**
   * @param queues names of the declared queues
   * @param redact hides arguments in messages. Absent: they are shown as they are
   */
  explore(queues: readonly string[], redact?: Redact): ExploredTasks {
    const found = new Map<string, ProvidedTask>();
    const problems: TasksError[] = [];
    const warnings = new Set<string>();
    const classes = new Set<object>();
    const carried = new WeakMap<object, Set<object>>();
    for (const wrapper of this.wrappers()) {
      const provider = readProvider(wrapper);
      if (!provider) continue;
      for (const declaring of provider.classes) {
        if (classes.has(declaring)) continue;
        classes.add(declaring);
        problems.push(...findStaticTasks(declaring));
        for (const warning of findSchedulesOfNest(declaring)) warnings.add(warning);
      }
      for (const task of tasksOfProvider(provider)) {
        if (isRepeated(task, carried)) continue;
        const earlier = found.get(task.name);
        if (!earlier) {
          found.set(task.name, task);
          problems.push(...findProblems(task, queues));
          if (takesArguments(task)) warnings.add(withoutArguments(task));
        } else if (isSameMethod(task, earlier)) {
          if (!isSameInstance(task, earlier)) warnings.add(twiceProvided(task, earlier));
        } else {
          problems.push(duplicate(task, earlier));
        }
      }
    }
    const tasks = [...found.values()].map((task) => this.define(task, redact));
    return { tasks, problems, warnings: [...warnings] };
  }

  /** Classes provided as themselves come first: they name the tasks of an instance that has other tokens as well. */
  private wrappers(): NestProvider[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return wrappers.toSorted((one, other) => Number(isItself(other)) - Number(isItself(one)));
  }

  private define({ name, place, method, provider }: ProvidedTask, redact: Redact | undefined): TaskDefinition {
    const { metadata, parameters } = method;
    const schema = metadata.options.schema ?? metadata.contractSchema;
    const invoke = provider.instance
      ? invokeOnInstance(provider.instance, method.name, parameters)
      : invokePerRun(this.moduleRef, provider.token, method.name, parameters);
    return {
      name,
      place,
      options: metadata.options,
      contractOptions: metadata.contractOptions,
      ...(method.schedules.length > 0 && { schedules: method.schedules }),
      schema,
      invoke: schema ? invokeFitting(invoke, schema, name, redact) : invoke,
    };
  }
}

function isItself({ token, metatype }: NestProvider): boolean {
  return token === metatype;
}

function findProblems({ method, place }: ProvidedTask, queues: readonly string[]): TasksError[] {
  const { metadata, parameters, types } = method;
  const { context, count, rest } = parameters;
  const isImplied = metadata.isImplied ?? false;
  const problems = isImplied ? [] : findOptionProblems(metadata, place, queues);
  problems.push(...findScheduleProblems(method.schedules, isImplied, place, queues));
  if (context !== undefined && (rest || context !== count - 1)) {
    problems.push(
      new InvalidTaskError(`@Ctx() on ${place} is not on the last parameter. Move it to the end of the parameters.`),
    );
  }
  if (types?.some((type, index) => type === TaskContext && index !== context)) {
    problems.push(
      new InvalidTaskError(
        `${place} has a TaskContext parameter without @Ctx(), so it would be part of the call. ` +
          'Write `@Ctx() context: TaskContext` as the last parameter.',
      ),
    );
  }
  return problems;
}

function findStaticTasks(declaring: object & { name: string }): TasksError[] {
  return [...tasksOf(declaring).keys()].map(
    (method) =>
      new InvalidTaskError(
        `@Task() is on the static method ${declaring.name}.${method}, which belongs to no provider. Remove 'static'.`,
      ),
  );
}

/** Parameters with a default and the context are none. */
function takesArguments({ method: { metadata, parameters, schedules } }: ProvidedTask): boolean {
  if (schedules.length === 0) return false;
  const { length } = metadata.method as { length: number };
  return length > (parameters.context !== undefined && parameters.context < length ? 1 : 0);
}

function withoutArguments({ place, method }: ProvidedTask): string {
  return (
    `${method.schedules[0].decorator} on ${place} runs it without arguments, and it has a parameter without a default. ` +
    `Give it one, or set a schedule with arguments by TaskSchedules.set().`
  );
}

function isSameMethod(one: ProvidedTask, other: ProvidedTask): boolean {
  return one.namedBy === other.namedBy && one.method.name === other.method.name;
}

function isSameInstance(one: ProvidedTask, other: ProvidedTask): boolean {
  const { instance } = one.provider;
  return instance !== undefined && instance === other.provider.instance;
}

/** Whether the same method of the same instance was found under another token. A mock may stand for several classes. */
function isRepeated({ provider, method, namedBy }: ProvidedTask, carried: WeakMap<object, Set<object>>): boolean {
  const { instance } = provider;
  if (!instance || !(instance instanceof namedBy)) return false;
  const methods = carried.get(instance) ?? new Set();
  if (methods.has(method.metadata)) return true;
  carried.set(instance, methods.add(method.metadata));
  return false;
}

function twiceProvided({ namedBy, provider }: ProvidedTask, earlier: ProvidedTask): string {
  return (
    `${namedBy.name} is provided twice, in ${earlier.provider.module} and in ${provider.module}: ` +
    `its tasks run on the instance of ${earlier.provider.module}. Provide it in one module and export it from there.`
  );
}

function duplicate(task: ProvidedTask, earlier: ProvidedTask): DuplicateTaskError {
  return new DuplicateTaskError(
    `The task name '${task.name}' is claimed by ${whereIs(earlier)} and by ${whereIs(task)}. ` +
      `Rename one of them, or give it a name of its own: @Task({ name: '…' }).`,
  );
}

function whereIs({ place, provider }: ProvidedTask): string {
  return `${place} (${provider.module})`;
}
