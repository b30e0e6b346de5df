import type { Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { TaskEvents } from './client/task-events.js';
import type { Clock } from './contracts/clock.js';
import type { Engine } from './contracts/engine.js';
import type { TasksSettings } from './contracts/settings.js';
import type { TaskRegistry } from './discovery/task-definition.js';
import { planDeclared } from './schedules/declared-schedules.js';
import type { PlannedSchedule } from './schedules/planned-schedule.js';
import { Scheduler } from './schedules/scheduler.js';
import { ShownSchedules } from './schedules/shown-schedules.js';
import { TaskSchedules } from './schedules/task-schedules.js';
import { TickJobs } from './schedules/tick-jobs.js';
import { TickReport } from './schedules/tick-report.js';
import { provide, TASK_REGISTRY, TASKS_CLOCK, TASKS_ENGINE, TASKS_SETTINGS } from './tasks.tokens.js';

/** Answers the declared schedules; planned at the first call. */
const DECLARED_SCHEDULES = Symbol('DECLARED_SCHEDULES');

type Declared = () => readonly PlannedSchedule[];

/** What ticks schedules, and what looks at them. */
export function createScheduleProviders(): Provider[] {
  return [
    TaskEvents,
    provide(DECLARED_SCHEDULES, [TASK_REGISTRY, TASKS_SETTINGS], provideDeclared),
    provide(
      TaskSchedules,
      [TASKS_ENGINE, TASK_REGISTRY, TASKS_SETTINGS, DECLARED_SCHEDULES, TASKS_CLOCK],
      (engine: Engine, registry: () => TaskRegistry, settings: TasksSettings, declared: Declared, clock: Clock) =>
        new TaskSchedules(engine, registry, settings, declared, clock),
    ),
    provide(
      Scheduler,
      [TASKS_ENGINE, TASK_REGISTRY, TASKS_SETTINGS, DECLARED_SCHEDULES, TASKS_CLOCK, TaskEvents],
      createScheduler,
    ),
    provide(
      ShownSchedules,
      [ModuleRef, Scheduler, DECLARED_SCHEDULES],
      (moduleRef: ModuleRef, scheduler: Scheduler, declared: Declared) =>
        new ShownSchedules(moduleRef, scheduler, declared),
    ),
  ];
}

function createScheduler(
  engine: Engine,
  registry: () => TaskRegistry,
  settings: TasksSettings,
  declared: Declared,
  clock: Clock,
  events: TaskEvents,
): Scheduler {
  const jobs = new TickJobs(registry, settings);
  const report = new TickReport((event) => events.emit(event));
  return new Scheduler({ engine: engine.schedules, settings, declared, clock, jobs, report });
}

function provideDeclared(registry: () => TaskRegistry, settings: TasksSettings): Declared {
  let declared: readonly PlannedSchedule[] | undefined;
  return () => {
    if (declared) return declared;
    const known = registry();
    const tasks = known.names().map((name) => known.get(name)!);
    return (declared = planDeclared(tasks, settings).schedules);
  };
}
