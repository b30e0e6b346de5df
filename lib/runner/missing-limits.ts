import type { ActiveJob } from '../contracts/engine.js';
import type { TaskDefinition } from '../discovery/task-definition.js';
import { limitsOf, type LimitRules } from '../limits/limit-rules.js';

/**
 * The limits of a task that its job does not have: it was enqueued by somebody who does not know them, such as a plain
 * Bull producer, the caller of a contract, or this application before a deploy. Undefined where none is missing.
 *
 * @throws InvalidOptionsError where a key function answers no text
 */
export function missingLimits(
  { rules, task }: ActiveJob,
  { options }: TaskDefinition,
  args: readonly unknown[],
): LimitRules | undefined {
  const concurrency = rules?.concurrency ? undefined : options.concurrency;
  const rateLimit = rules?.rate ? undefined : options.rateLimit;
  return concurrency || rateLimit ? limitsOf({ concurrency, rateLimit }, task, args) : undefined;
}
