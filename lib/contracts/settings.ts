import type { PayloadCodec } from './codec.js';
import type { Overlap } from './engine-schedules.js';
import type { StoredBackoff } from './job.js';
import type { FailedRetention } from './outcome.js';
import type { Redact } from './redaction.js';
import type { CatchUp } from './schedule-options.js';
import type { BackoffFunction } from './task.js';

/** The module's options with every default filled in, durations in milliseconds. */
export interface TasksSettings {
  prefix: string;
  /** Every declared queue, `default` included. */
  queues: ReadonlyMap<string, { concurrency: number }>;
  /** The queues whose jobs this process runs. */
  workerQueues: readonly string[];
  defaults: TaskDefaults;
  lockDuration: number;
  /** 0: jobs of dead processes are not looked for. */
  stalledInterval: number;
  maxCrashes: number;
  enqueueTimeout: number;
  shutdownGrace: number;
  failFast: boolean;
  /** Most bytes of the arguments of one call. */
  maxPayload: number;
  /** Absent: arguments and results are stored as they are. */
  codec?: PayloadCodec;
  /** Absent: arguments are shown as they are. */
  redact?: Redact;
  /** Absent: no task may have `isolate`. False: tasks with it run on the event loop like all others. */
  threads?: ThreadSettings | false;
  schedules: ScheduleDefaults;
}

/** How tasks with `isolate: 'thread'` run. Times in milliseconds. */
export interface ThreadSettings {
  /** URL of the file that exports the module that a thread boots. */
  module: string;
  /** Absent: the exported module that imports `TasksModule`. */
  export?: string;
  /** Most threads that work at a time. */
  max: number;
  idleTimeout: number;
  /** Megabytes. */
  memory: number;
  /** How long a task may go on after its signal was aborted. */
  grace: number;
}

/** What holds for a task that says nothing else. */
export interface TaskDefaults {
  attempts: number;
  backoff: StoredBackoff | BackoffFunction;
  timeout: number | false;
  keepResult: number;
  keepFailed: FailedRetention;
  /** Counted from the instant a job is due. Absent: for ever. */
  expires?: number;
}

/** What holds for a schedule that says nothing else. */
export interface ScheduleDefaults {
  overlap: Overlap;
  catchUp: CatchUp;
  catchUpWindow: number;
  /** Absent: named by the declared schedules. */
  deploy?: string;
}
