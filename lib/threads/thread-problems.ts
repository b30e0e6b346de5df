import type { Type } from '@nestjs/common';
import { createRequire } from 'node:module';
import { InvalidOptionsError, TasksConfigurationError, type TasksError } from '../contracts/errors.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { TaskDefinition, TaskRegistry } from '../discovery/task-definition.js';
import { isMainFile, loadRootModule } from './root-module.js';

type Settings = Pick<TasksSettings, 'threads' | 'workerQueues'>;

/** Everything that keeps the tasks with `isolate` from running in threads of this process. */
export function findThreadProblems(
  tasks: readonly TaskDefinition[],
  { threads, workerQueues }: Settings,
  isInstalled = isResolvable,
): TasksError[] {
  const isolated = tasks.filter(({ options }) => options.isolate);
  if (isolated.length === 0 || workerQueues.length === 0 || threads === false) return [];
  const [{ place }] = isolated;
  if (!threads) {
    return isolated.map((task) => missing(task.place));
  }
  if (isMainFile(threads.module)) {
    return [
      new InvalidOptionsError(
        'TasksModule.forRoot(): threads.module is the file that this process was started with, so that each thread would ' +
          'start the whole application again. Move the root module to a file of its own, and set threads there.',
      ),
    ];
  }
  if (isInstalled('piscina')) return [];
  return [
    new InvalidOptionsError(
      `@Task() on ${place} has isolate: 'thread', which needs the package piscina. Install it: npm install piscina`,
    ),
  ];
}

/**
 * Tells at boot, and not at the first job, that the file of `threads.module` has nothing to boot in a thread. The app has
 * imported it already, so that nothing is loaded twice.
 *
 * @throws TasksConfigurationError
 */
export async function expectRootModule(
  registry: TaskRegistry,
  { threads, workerQueues }: Settings,
  tasksModule: Type,
): Promise<void> {
  if (!threads || workerQueues.length === 0) return;
  if (!registry.names().some((name) => registry.get(name)?.options.isolate)) return;
  try {
    await loadRootModule(threads, tasksModule);
  } catch (problem) {
    throw new TasksConfigurationError([
      problem instanceof InvalidOptionsError ? problem : unreadable(threads.module, problem),
    ]);
  }
}

function missing(place: string): InvalidOptionsError {
  return new InvalidOptionsError(
    `@Task() on ${place} has isolate: 'thread', and a thread has to know which module to boot. Write in the file of ` +
      'the root module: TasksModule.forRoot({ threads: { module: import.meta.url } }); in tests of TypeScript sources: threads: false.',
  );
}

function unreadable(module: string, cause: unknown): InvalidOptionsError {
  return new InvalidOptionsError(
    `TasksModule.forRoot(): threads.module is ${module}, which cannot be imported: ${String(cause)} ` +
      'Write `module: import.meta.url` in the file of the root module; in tests of TypeScript sources, which a thread ' +
      'cannot run, set threads: false.',
    { cause },
  );
}

function isResolvable(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
