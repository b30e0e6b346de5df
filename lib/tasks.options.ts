import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { PayloadCodec } from './contracts/codec.js';
import type { Duration } from './contracts/duration.js';
import type { Redact } from './contracts/redaction.js';
import type { TaskOptions } from './contracts/task-options.js';
import type { ThreadOptions } from './threads/thread-options.js';

/**
 * How to reach Redis: a URL, ioredis options, or a function that makes ready-made clients (Sentinel, Cluster).
 * Clients of the roles `subscriber` and `bclient` need `maxRetriesPerRequest: null` and `enableReadyCheck: false`.
 */
export type RedisConnection =
  string | RedisOptions | { createClient(role: 'client' | 'subscriber' | 'bclient'): Redis | Cluster };

/** Options of one declared queue. */
export interface QueueOptions {
  /** Most jobs of this queue at a time, per process. @default 10 */
  concurrency?: number;
}

/** Options of `TasksModule.forRoot()`. */
export interface TasksModuleOptions {
  /** Absent: the embedded engine, in this process, nothing kept after it. */
  redis?: RedisConnection;
  /** Key prefix; two apps with different prefixes never meet. @default 'tasks' */
  prefix?: string;
  /** Declared queues; 'default' always exists. Enqueueing to any other name is an error. */
  queues?: Record<string, QueueOptions>;
  /** Whether this process runs jobs, and of which queues. @default true */
  worker?: boolean | { queues: readonly string[] };
  /** Defaults for every task. */
  defaults?: Pick<TaskOptions, 'attempts' | 'backoff' | 'timeout' | 'keepResult' | 'keepFailed'> & {
    /** How long after the instant it is due a job may still start. Absent: for ever. */
    expires?: Duration;
  };
  /** How long a job of a dead process stays locked. @default '30s' */
  lockDuration?: Duration;
  /** How often a worker looks for jobs of dead processes; 0: never. @default '15s' */
  stalledInterval?: Duration;
  /** A job that crashes its process this often is failed. @default 3 */
  maxCrashes?: number;
  /** How long `enqueue` may take before it rejects with EngineUnavailableError. @default '2s' */
  enqueueTimeout?: Duration;
  /** How long running jobs may go on after a shutdown began. @default '30s' */
  shutdownGrace?: Duration;
  /** Whether the boot fails when the engine cannot be reached. @default false */
  failFast?: boolean;
  /** Most bytes that the arguments of one call may have as JSON. @default 1_048_576 */
  maxPayload?: number;
  /**
   * Encodes arguments, results and progress values before they are stored, for example to encrypt them. Absent: they are
   * stored as they are.
   */
  codec?: PayloadCodec;
  /**
   * Answers what logs, errors and dashboards show of a value in the arguments of a call, in place of it. What is stored and
   * what tasks get stays whole. Absent: arguments are shown as they are.
   */
  redact?: Redact;
  /** For tasks with `isolate: 'thread'`. False: they run on the event loop, as in tests of TypeScript sources. */
  threads?: ThreadOptions | false;
  /**
   * Names the deploy, so that schedules with `runOnStart` run once for each, in the whole cluster.
   * @default a hash of the declared schedules
   */
  deploy?: string;
}

/** Options of `TasksModule.forRootAsync()`: one of `useFactory`, `useClass` and `useExisting`. */
export interface TasksModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useFactory?: (...dependencies: never[]) => TasksModuleOptions | Promise<TasksModuleOptions>;
  inject?: FactoryProvider['inject'];
  useClass?: Type<TasksModuleOptionsFactory>;
  useExisting?: Type<TasksModuleOptionsFactory>;
  /** Names of queues that are injected by `@InjectQueue(name)`: tokens have to be known before the factory runs. */
  queues?: readonly string[];
}

/** Makes the options, for `useClass` and `useExisting`. */
export interface TasksModuleOptionsFactory {
  createTasksOptions(): TasksModuleOptions | Promise<TasksModuleOptions>;
}
