import { toKeep, toStoredBackoff, toTimeout } from './contracts/call-options.js';
import type { PayloadCodec } from './contracts/codec.js';
import { checkOptions, collectInto, expectCount, expectThat, isText, type Collect } from './contracts/checks.js';
import { toMilliseconds, type Duration } from './contracts/duration.js';
import {
  InvalidOptionsError,
  TasksConfigurationError,
  UnknownQueueError,
  type TasksError,
} from './contracts/errors.js';
import type { TaskDefaults, TasksSettings } from './contracts/settings.js';
import { suggest } from './contracts/suggestion.js';
import { TASK_OPTION_CHECKS } from './discovery/task-options.js';
import { toRetention } from './runner/task-plan.js';
import { DEFAULTS } from './tasks.defaults.js';
import type { QueueOptions, TasksModuleOptions } from './tasks.options.js';
import { checkThreadOptions, toThreadSettings } from './threads/thread-options.js';

const WHERE = 'TasksModule.forRoot()';

/** Letters, digits, dot, dash and underscore: a colon would run into the next part of a key. */
const QUEUE_NAME = /^[\w.-]+$/;

const TASK_DEFAULT_CHECKS = {
  ...pick(TASK_OPTION_CHECKS, ['attempts', 'backoff', 'timeout', 'keepResult', 'keepFailed']),
  expires: checkDurationAboveZero,
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const CHECKS: Readonly<Record<keyof TasksModuleOptions, (value: unknown, where: string) => void>> = {
  redis: checkRedis,
  prefix: (value, where) =>
    expectThat(typeof value === 'string' && value !== '', where, value, 'text of at least one character'),
  queues: (value, where) => expectThat(isObject(value), where, value, `an object such as { mail: { concurrency: 4 } }`),
  worker: (value, where) =>
    expectThat(typeof value === 'boolean' || isObject(value), where, value, `true, false or { queues: ['mail'] }`),
  defaults: (value, where) =>
    expectThat(isObject(value) && !Array.isArray(value), where, value, 'an object such as { attempts: 5 }'),
  lockDuration: (value, where) =>
    expectThat(toMilliseconds(value as Duration, where) >= 100, where, value, `a duration of at least '100ms'`),
  stalledInterval: checkDuration,
  maxCrashes: expectCount,
  enqueueTimeout: checkDurationAboveZero,
  shutdownGrace: checkDuration,
  failFast: (value, where) => expectThat(typeof value === 'boolean', where, value, 'true or false'),
  maxPayload: expectCount,
  codec: checkCodec,
  redact: (value, where) =>
    expectThat(typeof value === 'function', where, value, 'a function (argument, path) that answers what is shown'),
  threads: checkThreadOptions,
  deploy: (value, where) => expectThat(isText(value), where, value, `text such as a version: '2024-05-01.3'`),
};

/**
 * Checks the module's options and fills in every default.
 *
 * @throws TasksConfigurationError with every problem that was found
 */
export function toSettings(options: TasksModuleOptions): TasksSettings {
  const problems: TasksError[] = [];
  const collect = collectInto(problems);
  checkEach(options, CHECKS, WHERE, collect);
  checkEach(options.defaults, TASK_DEFAULT_CHECKS, `${WHERE}: defaults`, collect);
  const queues = readQueues(isObject(options.queues) ? options.queues : {}, collect);
  const workerQueues = readWorkerQueues(options.worker ?? true, [...queues.keys()], collect);
  if (problems.length > 0) throw new TasksConfigurationError(problems);

  const duration = (name: 'lockDuration' | 'stalledInterval' | 'enqueueTimeout' | 'shutdownGrace'): number =>
    toMilliseconds(options[name] ?? DEFAULTS[name], name);
  return {
    prefix: options.prefix ?? DEFAULTS.prefix,
    queues,
    workerQueues,
    defaults: readDefaults(options.defaults ?? {}),
    lockDuration: duration('lockDuration'),
    stalledInterval: duration('stalledInterval'),
    maxCrashes: options.maxCrashes ?? DEFAULTS.maxCrashes,
    enqueueTimeout: duration('enqueueTimeout'),
    shutdownGrace: duration('shutdownGrace'),
    failFast: options.failFast ?? DEFAULTS.failFast,
    maxPayload: options.maxPayload ?? DEFAULTS.maxPayload,
    codec: options.codec,
    redact: options.redact,
    threads: options.threads && toThreadSettings(options.threads, DEFAULTS.threads),
    schedules: {
      overlap: DEFAULTS.overlap,
      catchUp: DEFAULTS.catchUp,
      catchUpWindow: toMilliseconds(DEFAULTS.catchUpWindow, 'catchUpWindow'),
      ...(options.deploy !== undefined && { deploy: options.deploy }),
    },
  };
}

const NOTHING = { age: 0, count: 0 };

/** One by one, so that the second mistake is told along with the first. What is no object is refused elsewhere. */
function checkEach(
  options: object | undefined,
  checks: Parameters<typeof checkOptions>[1],
  where: string,
  collect: Collect,
): void {
  if (!isObject(options)) return;
  for (const [name, value] of Object.entries(options)) collect(() => checkOptions({ [name]: value }, checks, where));
}

function readQueues(declared: Readonly<Record<string, QueueOptions>>, collect: Collect): TasksSettings['queues'] {
  const queues = new Map([['default', { concurrency: DEFAULTS.concurrency as number }]]);
  for (const [name, options] of Object.entries(declared)) {
    const where = `${WHERE}: queues.${name}`;
    // Declared even with wrong options, so that a name that is right is not reported too.
    queues.set(name, { concurrency: options?.concurrency ?? DEFAULTS.concurrency });
    collect(() => {
      if (!QUEUE_NAME.test(name)) {
        throw new InvalidOptionsError(
          `${WHERE}: '${name}' cannot name a queue. Use letters, digits, '.', '-' and '_' only.`,
        );
      }
      checkOptions(options, { concurrency: expectCount }, where);
    });
  }
  return queues;
}

function readWorkerQueues(
  worker: boolean | { queues: readonly string[] },
  declared: readonly string[],
  collect: Collect,
): readonly string[] {
  if (worker === false) return [];
  if (worker === true || !isObject(worker)) return declared;
  const where = `${WHERE}: worker`;
  collect(() => checkOptions(worker, { queues: checkNames }, where));
  const names = Array.isArray(worker.queues) ? (worker.queues as string[]) : [];
  for (const name of names) {
    collect(() => {
      if (declared.includes(name)) return;
      throw new UnknownQueueError(
        `${where}.queues names '${name}', which is not declared in queues. ${suggest(name, declared)}`,
      );
    });
  }
  return names;
}

function readDefaults(defaults: NonNullable<TasksModuleOptions['defaults']>): TaskDefaults {
  const { attempts, backoff, timeout, keepResult, keepFailed } = { ...DEFAULTS, ...dropUndefined(defaults) };
  const { expires } = defaults;
  return {
    attempts,
    backoff: typeof backoff === 'function' ? backoff : toStoredBackoff(backoff, 'backoff'),
    timeout: toTimeout(timeout, 'timeout'),
    keepResult: toKeep(keepResult, 'keepResult'),
    keepFailed: toRetention(keepFailed, toRetention(DEFAULTS.keepFailed, NOTHING, 'keepFailed'), 'keepFailed'),
    ...(expires !== undefined && { expires: toMilliseconds(expires, 'expires') }),
  };
}

function dropUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function checkRedis(value: unknown, where: string): void {
  const isUrl = typeof value === 'string' && /^rediss?:\/\//.test(value);
  expectThat(
    isUrl || isObject(value),
    where,
    value,
    `a URL such as 'redis://localhost:6379', ioredis options, or { createClient }; leave it out for the embedded engine`,
  );
}

function checkCodec(value: unknown, where: string): void {
  const { encode, decode } = isObject(value) ? (value as Partial<PayloadCodec>) : {};
  const fits = typeof encode === 'function' && typeof decode === 'function';
  expectThat(fits, where, value, 'an object with the functions encode(json) and decode(data)');
}

function checkDuration(value: unknown, where: string): void {
  toMilliseconds(value as Duration, where);
}

function checkDurationAboveZero(value: unknown, where: string): void {
  expectThat(toMilliseconds(value as Duration, where) > 0, where, value, 'a duration above 0');
}

function checkNames(value: unknown, where: string): void {
  expectThat(
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
    where,
    value,
    `a list of queue names such as ['mail']`,
  );
}

function pick<T>(checks: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, checks[name]]));
}
