import { describe, expect, it } from 'vitest';
import { planTask } from '../../../lib/runner/task-plan.js';
import { aTask, DEFAULTS } from './runner-fixture.js';

const nothing = () => undefined;
const everySecond = () => 1_000;

describe('planTask', () => {
  it('takes the defaults where nothing was said', () => {
    expect(planTask(aTask(nothing), DEFAULTS)).toMatchObject({ ...DEFAULTS, retryOn: undefined, discardOn: undefined });
  });

  it('puts the task above the defaults', () => {
    const options = {
      attempts: 5,
      backoff: '2s',
      timeout: '1m',
      keepResult: false,
      keepFailed: '1d',
      retryOn: [TypeError],
      discardOn: [RangeError],
    } as const;
    expect(planTask(aTask(nothing, options), DEFAULTS)).toMatchObject({
      attempts: 5,
      backoff: { type: 'fixed', delay: 2_000 },
      timeout: 60_000,
      keepResult: 0,
      keepFailed: { age: 86_400_000, count: 10_000 },
      retryOn: [TypeError],
      discardOn: [RangeError],
    });
  });

  it('puts the contract above the task', () => {
    const options = { attempts: 5, backoff: () => 1, timeout: '1m', keepResult: '1m' } as const;
    const contract = { attempts: 7, backoff: '9s', timeout: false, keepResult: 0 } as const;
    expect(planTask(aTask(nothing, options, contract), DEFAULTS)).toMatchObject({
      attempts: 7,
      backoff: { type: 'fixed', delay: 9_000 },
      timeout: false,
      keepResult: 0,
    });
  });

  it('counts undefined as not said', () => {
    const contract = { attempts: undefined, timeout: undefined };
    expect(planTask(aTask(nothing, { attempts: 5, timeout: undefined }, contract), DEFAULTS)).toMatchObject({
      attempts: 5,
      timeout: DEFAULTS.timeout,
    });
  });

  it('keeps a backoff function as it is', () => {
    expect(planTask(aTask(nothing, { backoff: everySecond }), DEFAULTS).backoff).toBe(everySecond);
  });

  it('fills in the half of keepFailed that was not said', () => {
    expect(planTask(aTask(nothing, { keepFailed: { count: 0 } }), DEFAULTS).keepFailed).toEqual({
      age: DEFAULTS.keepFailed.age,
      count: 0,
    });
    expect(planTask(aTask(nothing, { keepFailed: { age: '1h' } }), DEFAULTS).keepFailed).toEqual({
      age: 3_600_000,
      count: DEFAULTS.keepFailed.count,
    });
  });
});
