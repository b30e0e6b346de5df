import { toMilliseconds } from '../contracts/duration.js';
import type { Overlap } from '../contracts/engine-schedules.js';
import type { CatchUp, ScheduleRules } from '../contracts/schedule-options.js';
import type { TaskSignature } from '../contracts/signature.js';
import { withinBounds, type ScheduleRule } from './schedule-rule.js';

/** A schedule with everything filled in, times in milliseconds. */
export interface PlannedSchedule {
  name: string;
  task: string;
  queue: string;
  source: 'declared' | 'set';
  /** Within `startAt` and `endAt`. */
  rule: ScheduleRule;
  /** Is another text when the rule is another one. */
  ruleText: string;
  overlap: Overlap;
  catchUp: CatchUp;
  catchUpWindow: number;
  jitter: number;
  limit?: number;
  runOnStart: boolean;
  disabled: boolean;
  /** Of the definition of a schedule that was set. */
  version?: number;
  isInterval: boolean;
  signature: TaskSignature<unknown>;
}

/** What a schedule says about its ticks, with the defaults. */
export type PlannedRules = Pick<
  PlannedSchedule,
  'rule' | 'ruleText' | 'overlap' | 'catchUp' | 'catchUpWindow' | 'jitter' | 'limit'
>;

/**
 * Fills in what a schedule says about its ticks.
 *
 * @throws InvalidOptionsError for an end before the start
 */
export function planRules(
  rule: ScheduleRule,
  rules: ScheduleRules,
  defaults: { overlap: Overlap; catchUp: CatchUp; catchUpWindow: number },
  where: string,
): PlannedRules {
  const { overlap, catchUp, catchUpWindow, jitter, startAt, endAt, limit } = rules;
  return {
    rule: withinBounds(rule, { startAt, endAt }, where),
    ruleText: [rule.when, rule.timeZone, startAt?.getTime() ?? '', endAt?.getTime() ?? '', limit ?? ''].join('|'),
    overlap: overlap ?? defaults.overlap,
    catchUp: catchUp ?? defaults.catchUp,
    catchUpWindow:
      catchUpWindow === undefined ? defaults.catchUpWindow : toMilliseconds(catchUpWindow, `${where}: catchUpWindow`),
    jitter: jitter === undefined ? 0 : toMilliseconds(jitter, `${where}: jitter`),
    ...(limit !== undefined && { limit }),
  };
}
