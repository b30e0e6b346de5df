import { CALL_OPTION_CHECKS } from '../contracts/call-options.js';
import { checkOptions, collectInto, expectCount, expectFields, expectThat } from '../contracts/checks.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import { UnknownQueueError, type TasksError } from '../contracts/errors.js';
import { checkKey } from '../contracts/rule-checks.js';
import { checkSchema } from '../contracts/schema.js';
import { suggest } from '../contracts/suggestion.js';
import type { TaskMetadata } from '../decorators/metadata.js';

const KEEP_FAILED_FIELDS = ['age', 'count'];

/** The options of `@Task()`, each with its check. */
export const TASK_OPTION_CHECKS: typeof CALL_OPTION_CHECKS = {
  ...CALL_OPTION_CHECKS,
  name: (value, where) =>
    expectThat(typeof value === 'string' && value !== '', where, value, 'a text that is not empty'),
  backoff: (value, where) => {
    if (typeof value !== 'function') CALL_OPTION_CHECKS.backoff(value, where);
  },
  retryOn: checkErrorClasses,
  discardOn: checkErrorClasses,
  keepFailed: checkKeepFailed,
  concurrency: checkConcurrency,
  rateLimit: checkRateLimit,
  schema: checkSchema,
  isolate: (value, where) => expectThat(value === 'thread', where, value, `'thread', or leave it out`),
  onFailed: (value, where) =>
    expectThat(typeof value === 'function', where, value, 'a function that makes a call of the failure'),
};

/** Everything that is wrong with the options of one task. */
export function findOptionProblems(
  { options, contractOptions }: TaskMetadata,
  place: string,
  queues: readonly string[],
): TasksError[] {
  const where = `@Task() on ${place}`;
  const problems: TasksError[] = [];
  const collect = collectInto(problems);
  if (typeof options !== 'object') {
    collect(() => checkOptions(options, TASK_OPTION_CHECKS, where));
    return problems;
  }
  // One by one, so that the second mistake is told along with the first.
  for (const [name, value] of Object.entries(options)) {
    collect(() => checkOptions({ [name]: value }, TASK_OPTION_CHECKS, where));
  }
  for (const queue of new Set([options.queue, contractOptions?.queue])) {
    if (typeof queue === 'string' && queue !== '') collect(() => checkQueue(queue, where, queues));
  }
  return problems;
}

/** @throws UnknownQueueError */
export function checkQueue(queue: string, where: string, queues: readonly string[]): void {
  if (queues.includes(queue)) return;
  throw new UnknownQueueError(
    `${where} names the queue '${queue}', which is not declared. ${suggest(queue, queues)} ` +
      'Queues are declared in TasksModule.forRoot({ queues }).',
  );
}

function checkErrorClasses(value: unknown, where: string): void {
  expectThat(
    Array.isArray(value) && value.every(isErrorClass),
    where,
    value,
    'a list of error classes, such as [TypeError]',
  );
}

function isErrorClass(value: unknown): boolean {
  return typeof value === 'function' && (value === Error || value.prototype instanceof Error);
}

function checkKeepFailed(value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) return void toMilliseconds(value as Duration, where);
  expectFields(value, KEEP_FAILED_FIELDS, where, 'a duration or { age, count }');
  const { age, count } = value;
  if (age !== undefined) toMilliseconds(age as Duration, `${where}.age`);
  if (count === undefined) return;
  const fits = Number.isSafeInteger(count) && (count as number) >= 0;
  expectThat(fits, `${where}.count`, count, 'a whole number from 0 up');
}

function checkConcurrency(value: unknown, where: string): void {
  expectFields(value, ['max', 'key'], where, 'an object such as { max: 1 }');
  expectCount(value.max, `${where}.max`);
  if (value.key !== undefined) checkKey(value.key, `${where}.key`);
}

function checkRateLimit(value: unknown, where: string): void {
  expectFields(value, ['max', 'per', 'key'], where, `an object such as { max: 10, per: '1s' }`);
  expectCount(value.max, `${where}.max`);
  const isAboveZero = toMilliseconds(value.per as Duration, `${where}.per`) > 0;
  expectThat(isAboveZero, `${where}.per`, value.per, 'a duration above 0');
  if (value.key !== undefined) checkKey(value.key, `${where}.key`);
}
