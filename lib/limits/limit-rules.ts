import { toMilliseconds } from '../contracts/duration.js';
import type { JobRules } from '../contracts/job.js';
import type { TaskOptions } from '../contracts/task-options.js';
import { shortHash } from './unique-key.js';
import { userKey } from './user-key.js';

/** The rules of a job that a task's limits make. */
export type LimitRules = Pick<JobRules, 'concurrency' | 'rate'>;

/**
 * The limits of one call of a task, each under the task's name or the hash of a key of its arguments.
 *
 * @throws InvalidOptionsError where a key function answers no text
 */
export function limitsOf(
  { concurrency, rateLimit }: Pick<TaskOptions, 'concurrency' | 'rateLimit'>,
  task: string,
  args: readonly unknown[],
): LimitRules {
  const rules: LimitRules = {};
  if (concurrency) {
    rules.concurrency = { key: limitKey(concurrency, args, task, 'concurrency.key'), max: concurrency.max };
  }
  if (rateLimit) {
    rules.rate = {
      key: limitKey(rateLimit, args, task, 'rateLimit.key'),
      max: rateLimit.max,
      per: Math.ceil(toMilliseconds(rateLimit.per, 'rateLimit.per')),
    };
  }
  return rules;
}

function limitKey(
  { key }: { key?: (...args: never[]) => string },
  args: readonly unknown[],
  task: string,
  option: string,
): string {
  return key ? `${task}:${shortHash(userKey(key, args, task, option))}` : task;
}
