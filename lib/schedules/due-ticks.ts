import type { ScheduleState } from '../contracts/engine-schedules.js';
import type { CatchUp } from '../contracts/schedule-options.js';
import { ticksBetween, type ScheduleRule } from './schedule-rule.js';

/** Most ticks that are made up at a time. */
export const MOST_MADE_UP = 10_000;

/** Most ticks that are counted as missed at a time: they are found one by one. */
export const MOST_COUNTED = 1_000;

/** A tick that is to be handed over. Instants are milliseconds since the epoch. */
export interface Due {
  at: number;
  /** Ticks between `after` and this one. */
  missed: number;
  /** The instant up to which nothing is missed. */
  after: number;
  /** What is missed was due before this process began, so that the tick itself comes in its time. */
  isInTime?: boolean;
}

/**
 * The tick of a schedule that is to be handed over now: the latest one, since a worker that is late makes up one. Undefined
 * while none is due.
 *
 * @param after the instant up to which the schedule is done
 */
export function dueTick(rule: ScheduleRule, after: number, now: number): Due | undefined {
  const first = rule.next(after);
  if (first === undefined || first > now) return undefined;
  const second = rule.next(first);
  if (second === undefined || second > now) return { at: first, missed: 0, after };
  const at = rule.latest(now) ?? first;
  return { at, missed: countTicks(rule, after, at), after };
}

/** The ticks between two instants, both exclusive; at most 1,000. */
export function countTicks(rule: ScheduleRule, after: number, before: number): number {
  let count = 0;
  for (const tick of ticksBetween(rule, after, before - 1)) {
    if (tick >= before || ++count === MOST_COUNTED) break;
  }
  return count;
}

/**
 * The ticks that are made up when a worker starts, which nobody handed over while none was alive.
 *
 * @param window what was due longer ago is not made up
 */
export function ticksToMakeUp(
  rule: ScheduleRule,
  { catchUp, window }: { catchUp: CatchUp; window: number },
  { done, pause }: Pick<ScheduleState, 'done' | 'pause'>,
  now: number,
): Due[] {
  if (catchUp === 'none' || pause) return [];
  const oldest = now - window;
  if (catchUp === 'last') {
    const at = rule.latest(now);
    return at !== undefined && at > done && at >= oldest
      ? [{ at, missed: countTicks(rule, done, at), after: done }]
      : [];
  }
  const instants = latestTicks(rule, Math.max(done, oldest - 1), now);
  // Each but the first follows the one before.
  return instants.map((at, index) =>
    index === 0
      ? { at, missed: countTicks(rule, done, at), after: done }
      : { at, missed: 0, after: instants[index - 1] },
  );
}

/** The last ticks after one instant, up to and with another one, in their order; at most 10,000. */
function latestTicks(rule: ScheduleRule, after: number, upTo: number): number[] {
  const ticks: number[] = [];
  for (let tick = rule.latest(upTo); tick !== undefined && tick > after; tick = rule.latest(tick - 1)) {
    if (ticks.push(tick) === MOST_MADE_UP) break;
  }
  return ticks.toReversed();
}
