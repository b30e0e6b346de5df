import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkOptions, expectCount, expectThat, isText, type Check } from '../contracts/checks.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import type { ThreadSettings } from '../contracts/settings.js';

/** Options of the worker threads that run tasks with `isolate: 'thread'`. */
export interface ThreadOptions {
  /**
   * URL or absolute path of the file that exports the root module: `import.meta.url`, written in that very file. Each
   * thread imports it and boots the exported module that imports `TasksModule`.
   */
  module: string;
  /** Name of the export to boot, where the file exports several modules that import `TasksModule`. */
  export?: string;
  /** Most threads that work at a time; more jobs wait. @default the available cores but one, at least 1 */
  max?: number;
  /** How long a thread without work is kept; 0: not at all. @default '1m' */
  idleTimeout?: Duration;
  /** Most megabytes of JavaScript heap of one thread; what needs more fails. @default 512 */
  memory?: number;
  /** How long a task may go on after its signal was aborted, before its thread is ended. @default '1s' */
  grace?: Duration;
}

/** What holds where the options say nothing else. */
export type ThreadDefaults = Required<Pick<ThreadOptions, 'idleTimeout' | 'memory' | 'grace'>>;

const checkDuration: Check = (value, where) => void toMilliseconds(value as Duration, where);

const CHECKS: Readonly<Record<keyof ThreadOptions, Check>> = {
  module: (value, where) =>
    expectThat(
      isText(value) && (value.startsWith('file:') || isAbsolute(value)),
      where,
      value,
      `import.meta.url, written in the file that exports the module`,
    ),
  export: (value, where) => expectThat(isText(value), where, value, `the name of an export, such as 'AppModule'`),
  max: expectCount,
  idleTimeout: checkDuration,
  memory: expectCount,
  grace: checkDuration,
};

/** @throws InvalidOptionsError naming the option, the cause and the fix */
export function checkThreadOptions(value: unknown, where: string): void {
  if (value === false) return;
  checkOptions(value as object, CHECKS, where);
  CHECKS.module((value as ThreadOptions).module, `${where}: module`);
}

/** Fills in every default of checked options. */
export function toThreadSettings(options: ThreadOptions, defaults: ThreadDefaults): ThreadSettings {
  const { module, memory = defaults.memory, idleTimeout, grace } = options;
  return {
    module: module.startsWith('file:') ? module : pathToFileURL(module).href,
    ...(options.export !== undefined && { export: options.export }),
    max: options.max ?? Math.max(1, availableParallelism() - 1),
    idleTimeout: toMilliseconds(idleTimeout ?? defaults.idleTimeout, 'threads.idleTimeout'),
    memory,
    grace: toMilliseconds(grace ?? defaults.grace, 'threads.grace'),
  };
}
