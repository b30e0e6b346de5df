import { CALL_OPTION_CHECKS, checkOptions, expectThat } from '../contracts/call-options.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import { InvalidOptionsError, TasksError, UnknownQueueError } from '../contracts/errors.js';
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
};

/** Everything that is wrong with the options of one task. */
export function findOptionProblems(
  { options, contractOptions }: TaskMetadata,
  place: string,
  queues: readonly string[],
): TasksError[] {
  const where = `@Task() on ${place}`;
  const problems: TasksError[] = [];
  const collect = (check: () => void) => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof TasksError)) throw error;
      problems.push(error);
    }
  };
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

function checkQueue(queue: string, where: string, queues: readonly string[]): void {
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
  for (const [field, limit] of Object.entries(value)) {
    if (!KEEP_FAILED_FIELDS.includes(field)) {
      throw new InvalidOptionsError(`${where} has an unknown field '${field}'. ${suggest(field, KEEP_FAILED_FIELDS)}`);
    }
    if (limit === undefined) continue;
    if (field === 'age') toMilliseconds(limit as Duration, `${where}.age`);
    else expectThat(Number.isSafeInteger(limit) && limit >= 0, `${where}.count`, limit, 'a whole number from 0 up');
  }
}
