import type { TasksModuleOptions } from 'nestjs-tasks';

/** What API and worker have in common. A real app keeps the longer defaults of the last two. */
export const tasksOptions: TasksModuleOptions = {
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  prefix: process.env.TASKS_PREFIX,
  queues: { reports: { concurrency: 2 } },
  lockDuration: '2s',
  stalledInterval: '1s',
};
