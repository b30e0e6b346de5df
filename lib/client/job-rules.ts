import { toMilliseconds, type Duration } from '../contracts/duration.js';
import type { JobRules } from '../contracts/job.js';
import { expectFewTags } from '../contracts/rule-checks.js';
import type { TaskDefaults } from '../contracts/settings.js';
import type { EnqueueOptions, UniqueOptions } from '../contracts/task.js';
import type { TaskDefinition } from '../discovery/task-definition.js';
import { limitsOf } from '../limits/limit-rules.js';
import { uniqueKey } from '../limits/unique-key.js';

/** One call of a task, with the options of contract, signature and call merged. */
export interface RuledCall {
  task: string;
  args: readonly unknown[];
  options: EnqueueOptions;
  /** The instant from which it may start, in milliseconds since the epoch. */
  due: number;
}

/**
 * How the job of a call stands to the other jobs of its queue; undefined for most, which have nothing to say.
 *
 * @param definition of the task, whose options are defaults; absent for a task of another application
 * @throws InvalidOptionsError where a key function answers no text, or there are too many tags in all
 */
export function rulesOf(
  call: RuledCall,
  definition: TaskDefinition | undefined,
  defaults: Pick<TaskDefaults, 'expires'>,
): JobRules | undefined {
  const { task, args, options, due } = call;
  const own = definition?.options ?? {};
  const rules: JobRules = limitsOf(own, task, args);

  const priority = options.priority ?? own.priority ?? 'normal';
  if (priority !== 'normal') rules.priority = priority;

  const expires = options.expires ?? own.expires ?? defaults.expires;
  if (expires !== undefined) rules.expiresAt = expiresAt(expires, due);

  const unique = options.unique ?? own.unique;
  if (unique) rules.unique = uniqueRule(unique, task, args);

  if (own.tags || options.tags) {
    const tags = [...new Set([...(own.tags ?? []), ...(options.tags ?? [])])];
    expectFewTags(tags, `The call of ${task}`);
    if (tags.length > 0) rules.tags = tags;
  }
  return Object.keys(rules).length > 0 ? rules : undefined;
}

function expiresAt(expires: Duration | Date, due: number): number {
  return expires instanceof Date ? expires.getTime() : due + Math.ceil(toMilliseconds(expires, 'expires'));
}

function uniqueRule(unique: UniqueOptions, task: string, args: readonly unknown[]): JobRules['unique'] {
  const { until, onConflict = 'return' } = unique;
  return {
    key: uniqueKey(task, unique, args),
    until: until === 'started' || until === 'finished' ? until : Math.ceil(toMilliseconds(until, 'unique.until')),
    onConflict,
  };
}
