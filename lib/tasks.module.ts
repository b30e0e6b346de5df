import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { TaskAdmin } from './client/task-admin.js';
import { TaskEvents } from './client/task-events.js';
import { TaskHealth } from './client/task-health.js';
import { TaskQueue } from './client/task-queue.js';
import type { Engine } from './contracts/engine.js';
import type { TasksSettings } from './contracts/settings.js';
import type { TaskRegistry } from './discovery/task-definition.js';
import { createQueueProviders, loadListenerModule } from './engines/bull/queue-providers.js';
import { Workers } from './runner/workers.js';
import { Scheduler } from './schedules/scheduler.js';
import { ShownSchedules } from './schedules/shown-schedules.js';
import { TaskSchedules } from './schedules/task-schedules.js';
import type { TasksModuleAsyncOptions, TasksModuleOptions } from './tasks.options.js';
import { createScheduleProviders } from './schedules.providers.js';
import { createTasksProviders } from './tasks.providers.js';
import { STORING_ENGINE, TASK_REGISTRY, TASKS_ENGINE, TASKS_SETTINGS } from './tasks.tokens.js';
import { presentThread } from './threads/thread-host.js';
import { expectRootModule } from './threads/thread-problems.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<TasksModuleOptions>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createTasksOptions')
  .build();

/**
 * Background tasks for a NestJS app: import it once, in the root module.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [TasksModule.forRoot({ redis: process.env.REDIS_URL, queues: { mail: { concurrency: 4 } } })],
 *   providers: [MailTasks],
 * })
 * export class AppModule {}
 * ```
 */
@Module({})
export class TasksModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  /**
   * @throws TasksConfigurationError while the app boots, with every wrong option
   */
  static override forRoot(options: TasksModuleOptions = {}): DynamicModule {
    const usesBull = options.redis !== undefined;
    return compose(super.forRoot(options), Object.keys(options.queues ?? {}), usesBull);
  }

  /**
   * As `forRoot`, with options that come from other providers. A queue that is injected by `@InjectQueue(name)` is named
   * in `queues` here too, since Nest has to know its tokens before the factory runs.
   */
  static override forRootAsync(options: TasksModuleAsyncOptions): DynamicModule {
    const { queues = [], ...asyncOptions } = options;
    return compose(
      super.forRootAsync(asyncOptions as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]),
      queues,
      true,
    );
  }

  constructor(
    @Inject(TASKS_ENGINE) private readonly engine: Engine,
    @Inject(TASK_REGISTRY) private readonly registry: () => TaskRegistry,
    @Inject(Workers) private readonly workers: Workers,
    @Inject(TASKS_SETTINGS) private readonly settings: TasksSettings,
    @Inject(Scheduler) private readonly scheduler: Scheduler,
    @Inject(ShownSchedules) private readonly shown: ShownSchedules,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    super();
    // Nest starts a global module first and destroys it last. A task may use any provider, so ours has to be the
    // other way round: behind the root module, whose distance is 0.
    for (const module of modules.values()) if (module.metatype === TasksModule) module.distance = -1;
  }

  async onApplicationBootstrap(): Promise<void> {
    const registry = this.registry();
    try {
      await expectRootModule(registry, this.settings, TasksModule);
    } catch (problem) {
      void this.engine.close();
      throw problem;
    }
    this.workers.start();
    this.scheduler.start();
    this.shown.show();
  }

  async onModuleDestroy(): Promise<void> {
    this.shown.hide();
    await Promise.all([this.scheduler.stop(), this.workers.drain()]);
  }

  /** Not before: requests in flight may enqueue until the server is closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.engine.close();
  }
}

function compose(base: DynamicModule, queues: readonly string[], usesBull: boolean): DynamicModule {
  const queueProviders = createQueueProviders(new Set(['default', ...queues]), STORING_ENGINE);
  return {
    ...base,
    global: true,
    imports: [
      ...(base.imports ?? []),
      DiscoveryModule,
      ...(usesBull && !presentThread() ? [loadListenerModule()] : []),
    ],
    providers: [
      ...(base.providers ?? []),
      ...createTasksProviders(MODULE_OPTIONS_TOKEN),
      ...createScheduleProviders(),
      ...queueProviders,
    ],
    exports: [TaskQueue, TaskAdmin, TaskSchedules, TaskEvents, TaskHealth, ...queueProviders],
  };
}
