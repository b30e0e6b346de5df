import { describe, expect, it } from 'vitest';
import { compileRule } from '../../../lib/schedules/compile-rule.js';
import { countTicks, dueTick, MOST_COUNTED, MOST_MADE_UP, ticksToMakeUp } from '../../../lib/schedules/due-ticks.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const minutes = compileRule({ cron: '* * * * *' }, 'test');
const seconds = compileRule({ every: '1s' }, 'test');

describe('the tick that is due', () => {
  it('is none before its instant', () => {
    expect(dueTick(minutes, START, START + MINUTE - 1)).toBeUndefined();
  });

  it('is the next one at its instant and until another one comes', () => {
    for (const late of [0, 1, MINUTE - 1]) {
      expect(dueTick(minutes, START, START + MINUTE + late)).toEqual({ at: START + MINUTE, missed: 0, after: START });
    }
  });

  it('is the latest one where several have come, and the others are missed', () => {
    expect(dueTick(minutes, START, START + 5.5 * MINUTE)).toEqual({ at: START + 5 * MINUTE, missed: 4, after: START });
  });

  it('counts no more than a thousand', () => {
    expect(dueTick(seconds, START, START + 1e9)?.missed).toBe(MOST_COUNTED);
    expect(countTicks(seconds, START, START + 1_000)).toBe(0);
    expect(countTicks(seconds, START, START + 3_000)).toBe(2);
  });
});

describe('what is made up when a worker starts', () => {
  const now = START + 5.5 * MINUTE;
  const state = { done: START };
  const tick = (number: number): number => START + number * MINUTE;

  it('is nothing by default, when nothing was due, and for a paused schedule', () => {
    expect(ticksToMakeUp(minutes, { catchUp: 'none', window: 1e9 }, state, now)).toEqual([]);
    for (const catchUp of ['last', 'all'] as const) {
      expect(ticksToMakeUp(minutes, { catchUp, window: 1e9 }, { done: tick(5) }, now)).toEqual([]);
      expect(ticksToMakeUp(minutes, { catchUp, window: 1e9 }, { done: START, pause: { since: START } }, now)).toEqual(
        [],
      );
    }
  });

  it("is the last tick for 'last', where it is not too old", () => {
    expect(ticksToMakeUp(minutes, { catchUp: 'last', window: MINUTE }, state, now)).toEqual([
      { at: tick(5), missed: 4, after: START },
    ]);
    expect(ticksToMakeUp(minutes, { catchUp: 'last', window: MINUTE / 4 }, state, now)).toEqual([]);
  });

  it("is each tick of the window for 'all', one after another, and those before it are missed", () => {
    expect(ticksToMakeUp(minutes, { catchUp: 'all', window: 2.5 * MINUTE }, state, now)).toEqual([
      { at: tick(3), missed: 2, after: START },
      { at: tick(4), missed: 0, after: tick(3) },
      { at: tick(5), missed: 0, after: tick(4) },
    ]);
  });

  it('is at most ten thousand ticks, the latest, however long the window is', () => {
    const later = START + 365 * 86_400_000;
    const madeUp = ticksToMakeUp(seconds, { catchUp: 'all', window: Infinity }, state, later);
    expect(madeUp).toHaveLength(MOST_MADE_UP);
    expect(madeUp.at(-1)!.at).toBe(later);
    expect(madeUp[0].missed).toBe(MOST_COUNTED);
  });
});
