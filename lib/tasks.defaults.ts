import type { ScheduleRules } from './contracts/schedule-options.js';
import type { TasksModuleOptions } from './tasks.options.js';
import type { ThreadOptions } from './threads/thread-options.js';

/**
 * What holds where neither the call, the task, the queue nor the module says anything else.
 *
 * The one place of every default; a test compares it with the README's table.
 */
export const DEFAULTS = {
  /** First part of every key in Redis. */
  prefix: 'tasks',
  /** Most jobs of one queue at a time, per process. */
  concurrency: 10,
  /** Runs in total, the first one included. */
  attempts: 3,
  backoff: { type: 'exponential', delay: '1s', factor: 2, max: '10m', jitter: 0.2 },
  timeout: '5m',
  keepResult: '1h',
  keepFailed: { age: '7d', count: 10_000 },
  lockDuration: '30s',
  stalledInterval: '15s',
  maxCrashes: 3,
  enqueueTimeout: '2s',
  shutdownGrace: '30s',
  failFast: false,
  /** Bytes. */
  maxPayload: 1_048_576,
  /** `memory` in megabytes; `max` is the available cores but one. */
  threads: { idleTimeout: '1m', memory: 512, grace: '1s' },
  overlap: 'skip',
  catchUp: 'none',
  catchUpWindow: '1h',
} as const satisfies Omit<TasksModuleOptions, 'defaults' | 'threads'> &
  TasksModuleOptions['defaults'] & { concurrency: number; threads: Partial<ThreadOptions> } & ScheduleRules;
