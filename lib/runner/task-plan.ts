import { toKeep, toStoredBackoff, toTimeout } from '../contracts/call-options.js';
import { toMilliseconds } from '../contracts/duration.js';
import type { FailedRetention } from '../contracts/outcome.js';
import type { TaskDefaults } from '../contracts/settings.js';
import type { TaskOptions } from '../contracts/task-options.js';
import type { ErrorClass } from '../contracts/task.js';
import type { TaskDefinition } from '../discovery/task-definition.js';
import type { BackoffRule } from './backoff.js';

/** What goes on of a task in this process. */
export interface TaskActivity {
  running: number;
  /** The look of `LoopWatch` during which a run of it last began or ended. */
  look: number;
}

/** A task with every option filled in, durations in milliseconds; what its job says stands above. */
export interface TaskPlan {
  definition: TaskDefinition;
  readonly activity: TaskActivity;
  attempts: number;
  backoff: BackoffRule;
  timeout: number | false;
  keepResult: number;
  keepFailed: FailedRetention;
  retryOn?: readonly ErrorClass[];
  discardOn?: readonly ErrorClass[];
}

/** Merges contract, task and defaults; the first of them that says something wins. */
export function planTask(definition: TaskDefinition, defaults: TaskDefaults): TaskPlan {
  const { options, contractOptions: contract = {}, place } = definition;
  const timeout = contract.timeout ?? options.timeout;
  const keepResult = contract.keepResult ?? options.keepResult;
  const backoff = contract.backoff ?? options.backoff;
  return {
    definition,
    activity: { running: 0, look: -1 },
    attempts: contract.attempts ?? options.attempts ?? defaults.attempts,
    backoff: backoff === undefined ? defaults.backoff : toRule(backoff, `${place}: backoff`),
    timeout: timeout === undefined ? defaults.timeout : toTimeout(timeout, `${place}: timeout`),
    keepResult: keepResult === undefined ? defaults.keepResult : toKeep(keepResult, `${place}: keepResult`),
    keepFailed: toRetention(options.keepFailed, defaults.keepFailed, `${place}: keepFailed`),
    retryOn: options.retryOn,
    discardOn: options.discardOn,
  };
}

function toRule(backoff: NonNullable<TaskOptions['backoff']>, where: string): BackoffRule {
  return typeof backoff === 'function' ? backoff : toStoredBackoff(backoff, where);
}

export function toRetention(
  keep: TaskOptions['keepFailed'],
  otherwise: FailedRetention,
  where: string,
): FailedRetention {
  if (keep === undefined) return otherwise;
  const { age, count } = typeof keep === 'object' ? keep : { age: keep };
  return {
    age: age === undefined ? otherwise.age : toMilliseconds(age, `${where}.age`),
    count: count ?? otherwise.count,
  };
}
