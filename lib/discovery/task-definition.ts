import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { TaskContext } from '../contracts/task-context.js';
import type { TaskOptions } from '../contracts/task-options.js';
import type { EnqueueOptions } from '../contracts/task.js';
import type { ScheduleMetadata } from '../decorators/metadata.js';

/** A discovered task: plain data and a way to call it. */
export interface TaskDefinition {
  name: string;
  /** For messages, e.g. `MailTasks.sendEmail`. */
  place: string;
  /** As declared and checked at boot; defaults are not filled in. */
  options: Readonly<TaskOptions>;
  /** The caller's defaults of the contract that the task implements; they stand above `options`. */
  contractOptions?: Readonly<EnqueueOptions>;
  /** As declared, in the order in which they are written; absent for most. */
  schedules?: readonly ScheduleMetadata[];
  /** Of the first argument: the task's own, else that of its contract. */
  schema?: StandardSchemaV1;
  /**
   * Calls the method on its provider with as many arguments as it takes, the first one as the schema makes it. A
   * request-scoped provider is made for the run.
   *
   * @throws RefusedArguments in place of the call, where they do not fit the schema
   */
  invoke(args: readonly unknown[], context: TaskContext): unknown;
}

/** Every task of this app by name. */
export interface TaskRegistry {
  get(name: string): TaskDefinition | undefined;
  names(): readonly string[];
}
