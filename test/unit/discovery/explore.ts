import { Module, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import type { TaskContext } from '../../../lib/contracts/task-context.js';
import { TaskExplorer, type ExploredTasks } from '../../../lib/discovery/task.explorer.js';

export const context = { jobId: 'one' } as TaskContext;

interface Exploration {
  names: string[];
  run: (name: string, ...args: unknown[]) => unknown;
  again: () => ExploredTasks;
}

/** Boots a module in Nest and explores it. */
export async function explore(
  metadata: ModuleMetadata,
  change: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
  queues: readonly string[] = ['default', 'mail'],
): Promise<ExploredTasks & Exploration> {
  @Module({ imports: [DiscoveryModule], providers: [TaskExplorer] })
  class ExplorerModule {}

  @Module(metadata)
  class AppModule {}

  const testing = Test.createTestingModule({ imports: [ExplorerModule, AppModule] });
  const app = await change(testing).compile();
  const again = () => app.get(TaskExplorer, { strict: false }).explore(queues);
  const explored = again();
  const byName = new Map(explored.tasks.map((task) => [task.name, task]));
  const run = (name: string, ...args: unknown[]) => byName.get(name)!.invoke(args, context);
  return { ...explored, names: [...byName.keys()], run, again };
}
