import { Logger } from '@nestjs/common';
import { TasksConfigurationError } from '../contracts/errors.js';
import type { TaskDefinition, TaskRegistry } from './task-definition.js';
import type { ExploredTasks } from './task.explorer.js';

/** The tasks that were found at boot, by name. */
export class ExploredTaskRegistry implements TaskRegistry {
  private readonly tasks: ReadonlyMap<string, TaskDefinition>;

  constructor(tasks: readonly TaskDefinition[]) {
    this.tasks = new Map(tasks.map((task) => [task.name, task]));
  }

  get(name: string): TaskDefinition | undefined {
    return this.tasks.get(name);
  }

  names(): readonly string[] {
    return [...this.tasks.keys()];
  }
}

/**
 * Makes the registry of what was found, and logs the warnings.
 *
 * @throws TasksConfigurationError with every problem that was found
 */
export function createTaskRegistry({ tasks, problems, warnings }: ExploredTasks): TaskRegistry {
  if (problems.length > 0) throw new TasksConfigurationError(problems);
  const logger = new Logger('TasksModule');
  for (const warning of warnings) logger.warn(warning);
  return new ExploredTaskRegistry(tasks);
}
