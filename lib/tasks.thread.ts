// What a worker thread of a pool runs first.
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { Outcome } from './contracts/outcome.js';
import { toJobError } from './runner/failure.js';
import { TasksModule } from './tasks.module.js';
import type { BootAnswer, ThreadCall } from './threads/messages.js';
import { RelayLogger } from './threads/relay-logger.js';
import { loadRootModule } from './threads/root-module.js';
import { becomeThread, type ThreadHost } from './threads/thread-host.js';

let host: ThreadHost | undefined;
let app: INestApplicationContext | undefined;

/** Called by piscina with one call after the other. */
export default function answer(call: ThreadCall): Promise<BootAnswer | Outcome | void> {
  switch (call.type) {
    case 'boot':
      return boot(call);
    case 'run':
      return host!.run(call.run, call.job);
    case 'close':
      return app!.close();
  }
}

/** A context of the app without server, signals and worker loops, made once per thread. */
async function boot({ port, settings }: ThreadCall & { type: 'boot' }): Promise<BootAnswer> {
  const logger = new RelayLogger(port);
  Logger.overrideLogger(logger);
  host = becomeThread(port);
  try {
    const module = await loadRootModule(settings, TasksModule);
    app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    await stopSchedules(app);
  } catch (error) {
    return { error: toJobError(error) };
  }
  logger.isBooted = true;
  return {};
}

/** The timers of @nestjs/schedule fire in the main thread; here they would fire once more. */
async function stopSchedules(context: INestApplicationContext): Promise<void> {
  const modules = [...context.get(ModulesContainer).values()];
  if (!modules.some(({ name }) => name === 'ScheduleModule')) return;
  const { SchedulerRegistry } = await import('@nestjs/schedule');
  const registry = context.get(SchedulerRegistry, { strict: false });
  for (const name of registry.getCronJobs().keys()) registry.deleteCronJob(name);
  for (const name of registry.getIntervals()) registry.deleteInterval(name);
  for (const name of registry.getTimeouts()) registry.deleteTimeout(name);
}
