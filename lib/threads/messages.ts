import type { MessagePort } from 'node:worker_threads';
import type { ActiveJob, Engine } from '../contracts/engine.js';
import type { EngineSchedules } from '../contracts/engine-schedules.js';
import type { JobAddress, JobError } from '../contracts/job.js';
import type { ThreadSettings } from '../contracts/settings.js';
import type { CarriedError } from './carried-error.js';

/** Methods that a thread calls by message: plain data in, a promise of plain data out. */
const ENGINE_METHODS = [
  'enqueue',
  'begin',
  'find',
  'state',
  'progress',
  'log',
  'counts',
  'list',
  'cancel',
  'retry',
  'remove',
  'move',
  'pause',
  'resume',
  'isPaused',
  'problems',
] as const satisfies readonly (keyof Engine)[];

const SCHEDULE_METHODS = [
  'tick',
  'read',
  'set',
  'changes',
  'pause',
] as const satisfies readonly (keyof EngineSchedules)[];

/** The parts of an engine, each with its methods. */
export const RELAYED = { engine: ENGINE_METHODS, schedules: SCHEDULE_METHODS } as const;

export type EnginePart = keyof typeof RELAYED;

/** Levels of Nest's logger. */
export const LOG_LEVELS = ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a thread is called with. */
export type ThreadCall =
  | { type: 'boot'; port: MessagePort; settings: Pick<ThreadSettings, 'module' | 'export'> }
  /** Answered with the outcome. */
  | { type: 'run'; run: number; job: ActiveJob }
  | { type: 'close' };

/** How a boot went; an error crosses as it is stored. */
export type BootAnswer = { error?: JobError };

/** What a thread sends while it runs. */
export type FromThread =
  | { type: 'started'; run: number }
  | { type: 'request'; id: number; part: EnginePart; method: string; args: readonly unknown[] }
  | { type: 'watch'; id: number; job: JobAddress }
  /** Asks to be told of changed schedules. */
  | { type: 'follow'; id: number; queue: string }
  | { type: 'unwatch'; id: number }
  /** Lends the place of the run; `reclaim` is replied to when what was lent by that id is back. */
  | { type: 'lend'; id: number; run: number }
  | { type: 'reclaim'; id: number; lent: number }
  | { type: 'line'; level: LogLevel; values: readonly unknown[] };

/** What a thread is sent while it runs. */
export type ToThread =
  | { type: 'abort'; run: number; reason: CarriedError }
  | { type: 'reply'; id: number; value?: unknown; error?: CarriedError }
  | { type: 'watched'; id: number; progress: string }
  | { type: 'changed'; id: number }
  | { type: 'settled'; id: number; settlement: unknown; error?: CarriedError };
