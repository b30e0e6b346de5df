import type { Provider } from '@nestjs/common';
import { TaskAdmin } from './client/task-admin.js';
import { TaskHealth } from './client/task-health.js';
import { TaskQueue } from './client/task-queue.js';
import { systemClock, type Clock } from './contracts/clock.js';
import type { Engine } from './contracts/engine.js';
import { EngineUnavailableError } from './contracts/errors.js';
import type { TasksSettings, ThreadSettings } from './contracts/settings.js';
import type { Signature } from './contracts/signature.js';
import type { TaskRegistry } from './discovery/task-definition.js';
import { createTaskRegistry } from './discovery/task-registry.js';
import { TaskExplorer, type ExploredTasks } from './discovery/task.explorer.js';
import { EmbeddedEngine } from './engines/embedded/embedded.engine.js';
import { EncodedEngine } from './engines/encoded.engine.js';
import { Runner } from './runner/runner.js';
import { Workers } from './runner/workers.js';
import type { TasksModuleOptions } from './tasks.options.js';
import { planDeclared } from './schedules/declared-schedules.js';
import { toSettings } from './tasks.settings.js';
import { RelayEngine } from './threads/relay.engine.js';
import { presentThread } from './threads/thread-host.js';
import { ThreadPool } from './threads/thread-pool.js';
import { findThreadProblems } from './threads/thread-problems.js';
import { provide, STORING_ENGINE, TASK_REGISTRY, TASKS_CLOCK, TASKS_ENGINE, TASKS_SETTINGS } from './tasks.tokens.js';

export { STORING_ENGINE, TASK_REGISTRY, TASKS_ENGINE, TASKS_SETTINGS } from './tasks.tokens.js';

/** Everything the module is made of, each part given what it needs. */
export function createTasksProviders(optionsToken: string | symbol): Provider[] {
  return [
    TaskExplorer,
    provide(TASKS_SETTINGS, [optionsToken], readSettings),
    { provide: TASKS_CLOCK, useValue: systemClock },
    provide(STORING_ENGINE, [optionsToken, TASKS_SETTINGS, TASKS_CLOCK], createEngine),
    provide(TASKS_ENGINE, [STORING_ENGINE, TASKS_SETTINGS], (engine: Engine, { codec }: TasksSettings) =>
      codec ? new EncodedEngine(engine, codec) : engine,
    ),
    provide(TASK_REGISTRY, [TaskExplorer, TASKS_SETTINGS, TASKS_ENGINE], provideRegistry),
    provide(
      TaskQueue,
      [TASKS_ENGINE, TASK_REGISTRY, TASKS_SETTINGS, TASKS_CLOCK],
      (engine: Engine, registry: () => TaskRegistry, settings: TasksSettings, clock: Clock) =>
        new TaskQueue(engine, registry, settings, clock),
    ),
    provide(
      TaskAdmin,
      [TASKS_ENGINE, TASK_REGISTRY, TASKS_SETTINGS],
      (engine: Engine, registry: () => TaskRegistry, settings: TasksSettings) =>
        new TaskAdmin(engine, registry, settings),
    ),
    provide(Workers, [TASKS_ENGINE, TASK_REGISTRY, TASKS_SETTINGS, TaskQueue], createWorkers),
    provide(
      TaskHealth,
      [Workers, TASKS_ENGINE],
      (workers: Workers, engine: Engine) => new TaskHealth([workers, engine]),
    ),
  ];
}

function createWorkers(
  engine: Engine,
  registry: () => TaskRegistry,
  settings: TasksSettings,
  queue: TaskQueue,
): Workers {
  const { defaults, maxCrashes, codec, lockDuration } = settings;
  const dispatch = async (signature: Signature<unknown>, jobId: string): Promise<void> => {
    await queue.enqueue(signature, { jobId });
  };
  const thread = presentThread();
  const threads = thread || !settings.threads ? undefined : createThreads(engine, settings.threads);
  const isInThread = thread !== undefined;
  const options = { registry, defaults, maxCrashes, codec, lockDuration, engine, dispatch };
  const runner = new Runner({ ...options, threads, isInThread });
  if (thread) thread.runner = runner;
  return new Workers(engine, runner, settings, undefined, threads);
}

function createThreads(engine: Engine, settings: ThreadSettings): ThreadPool {
  return new ThreadPool({ engine, settings, entry: new URL('./tasks.thread.js', import.meta.url).href });
}

/** A thread gets its jobs from the main thread, decoded, and takes none by itself. */
function readSettings(options: TasksModuleOptions): TasksSettings {
  const settings = toSettings(options);
  return presentThread() ? { ...settings, workerQueues: [], codec: undefined } : settings;
}

function provideRegistry(explorer: TaskExplorer, settings: TasksSettings, engine: Engine): () => TaskRegistry {
  let registry: TaskRegistry | undefined;
  return () => {
    try {
      return (registry ??= createTaskRegistry(explore(explorer, settings)));
    } catch (error) {
      // The app does not start, wherever it asked first, and nobody else would end the connections.
      void engine.close();
      throw error;
    }
  };
}

/** What is wrong with schedules and threads is told along with all else. */
function explore(explorer: TaskExplorer, settings: TasksSettings): ExploredTasks {
  const explored = explorer.explore([...settings.queues.keys()], settings.redact);
  const told = new Set(explored.problems.map(({ message }) => message));
  const ofSchedules = planDeclared(explored.tasks, settings).problems.filter(({ message }) => !told.has(message));
  const others = [...findThreadProblems(explored.tasks, settings), ...ofSchedules];
  // The main thread has warned at its boot; threads boot over and over.
  const warnings = presentThread() ? [] : explored.warnings;
  return { ...explored, warnings, problems: [...explored.problems, ...others] };
}

/** Bull is loaded only where it is used: it costs 90 ms. */
async function createEngine(options: TasksModuleOptions, settings: TasksSettings, clock: Clock): Promise<Engine> {
  const thread = presentThread();
  if (thread) return new RelayEngine(thread);
  const queues = [...settings.queues.keys()];
  const keepStopped = settings.defaults.keepFailed;
  if (options.redis === undefined) return new EmbeddedEngine({ queues, keepStopped, clock });
  const { BullEngine } = await import('./engines/bull/bull.engine.js');
  const { redis } = options;
  const engine = new BullEngine({ ...settings, redis, queues, keepStopped, commandTimeout: settings.enqueueTimeout });
  if (settings.failFast) await expectReachable(engine);
  return engine;
}

/** @throws EngineUnavailableError */
async function expectReachable(engine: Engine): Promise<void> {
  const [problem] = await engine.problems();
  if (problem === undefined) return;
  await engine.close();
  throw new EngineUnavailableError(`The app does not start without its engine (failFast: true). ${problem}`, {
    sent: false,
  });
}
