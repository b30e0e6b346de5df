import { describe, expect, it, vi } from 'vitest';
import { Discard, Retry, Snooze } from '../../../lib/contracts/steering.js';
import type { ErrorClass } from '../../../lib/contracts/task.js';
import { settle, type FailurePolicy } from '../../../lib/runner/settle.js';

class NetworkError extends Error {}
class CardError extends Error {}

const KEEP = { age: 1_000, count: 5 };

function policy(changes: Partial<FailurePolicy> = {}): FailurePolicy {
  return { place: 'Shop.pay', attempt: 1, attempts: 3, keepFailed: KEEP, backoff: () => 1_000, ...changes };
}

describe('settle', () => {
  it('tries an error again after the backoff', () => {
    const backoff = vi.fn(() => 4_000);
    const error = new Error('no');
    expect(settle(error, policy({ backoff }))).toMatchObject({
      type: 'retry',
      delay: 4_000,
      error: { name: 'Error', message: 'no' },
    });
    expect(backoff).toHaveBeenCalledExactlyOnceWith(error);
  });

  it('fails the job when no attempt is left, and keeps it as the task says', () => {
    expect(settle(new Error('no'), policy({ attempt: 3 }))).toMatchObject({
      type: 'failed',
      error: { message: 'no' },
      keep: KEEP,
    });
    expect(settle(new Error('no'), policy({ attempt: 2 })).type).toBe('retry');
    // Attempts were lowered after the job had run.
    expect(settle(new Error('no'), policy({ attempt: 4 })).type).toBe('failed');
  });

  it('treats anything thrown as an error', () => {
    expect(settle(undefined, policy())).toMatchObject({ type: 'retry', error: { name: 'Error' } });
    expect(settle('text', policy({ attempt: 3 }))).toMatchObject({ type: 'failed', error: { message: 'text' } });
  });

  describe('by error class', () => {
    it('fails an error of discardOn at once, its subclasses included', () => {
      class ExpiredCardError extends CardError {}
      expect(settle(new ExpiredCardError(), policy({ discardOn: [CardError] })).type).toBe('failed');
      expect(settle(new NetworkError(), policy({ discardOn: [CardError] })).type).toBe('retry');
    });

    it('tries only errors of retryOn again', () => {
      expect(settle(new NetworkError(), policy({ retryOn: [NetworkError] })).type).toBe('retry');
      expect(settle(new CardError(), policy({ retryOn: [NetworkError] })).type).toBe('failed');
      expect(settle('text', policy({ retryOn: [NetworkError] })).type).toBe('failed');
      expect(settle(new Error('no'), policy({ retryOn: [] })).type).toBe('failed');
    });

    it('passes over a class that a circular import left undefined', () => {
      const [missing]: ErrorClass[] = [];
      const broken = [missing, CardError];
      expect(settle(new CardError(), policy({ discardOn: broken })).type).toBe('failed');
      expect(settle(new NetworkError(), policy({ discardOn: broken })).type).toBe('retry');
    });

    it('puts discardOn above retryOn', () => {
      const both = policy({ retryOn: [Error], discardOn: [CardError] });
      expect(settle(new CardError(), both).type).toBe('failed');
      expect(settle(new NetworkError(), both).type).toBe('retry');
    });
  });

  describe('Retry', () => {
    it('waits its delay, 0 included, without asking the backoff', () => {
      const backoff = vi.fn(() => 1);
      expect(settle(new Retry({ delay: '5s' }), policy({ backoff }))).toMatchObject({ type: 'retry', delay: 5_000 });
      expect(settle(new Retry({ delay: 0 }), policy({ backoff }))).toMatchObject({ type: 'retry', delay: 0 });
      expect(settle(new Retry({ delay: 1.4 }), policy({ backoff }))).toMatchObject({ type: 'retry', delay: 1 });
      expect(backoff).not.toHaveBeenCalled();
    });

    it('leaves the delay to the backoff where it has none', () => {
      const cause = new Error('busy');
      const backoff = vi.fn(() => 700);
      expect(settle(new Retry({ cause }), policy({ backoff }))).toMatchObject({
        type: 'retry',
        delay: 700,
        error: { message: 'busy' },
      });
      expect(backoff).toHaveBeenCalledExactlyOnceWith(cause);
    });

    it('fails with its cause when no attempt is left', () => {
      expect(settle(new Retry({ delay: 1, cause: new CardError('busy') }), policy({ attempt: 3 }))).toMatchObject({
        type: 'failed',
        error: { message: 'busy' },
        keep: KEEP,
      });
    });

    it('fails with itself where it has no cause', () => {
      expect(settle(new Retry(), policy({ attempt: 3 }))).toMatchObject({ type: 'failed', error: { name: 'Retry' } });
    });

    it('stands above retryOn and discardOn', () => {
      const strict = policy({ retryOn: [NetworkError], discardOn: [CardError] });
      expect(settle(new Retry({ cause: new CardError() }), strict).type).toBe('retry');
    });
  });

  describe('Snooze', () => {
    it('waits its delay and uses no attempt, also on the last one', () => {
      expect(settle(new Snooze('2m'), policy({ attempt: 3 }))).toEqual({
        type: 'snooze',
        delay: 120_000,
        because: 'snooze',
      });
    });
  });

  describe('Discard', () => {
    it('fails at once with its reason', () => {
      expect(settle(new Discard('unsubscribed'), policy({ retryOn: [Error] }))).toMatchObject({
        type: 'failed',
        error: { name: 'Discard', message: 'unsubscribed' },
        keep: KEEP,
      });
    });
  });

  it.each([
    ['Retry', new Retry({ delay: JSON.parse('"soon"') })],
    ['Snooze', new Snooze(-1)],
  ])('counts a %s with a bad delay as a failed attempt', (name, thrown) => {
    const error = {
      code: 'TASKS_INVALID_OPTIONS',
      message: expect.stringContaining(`The delay of the ${name} thrown by Shop.pay`),
    };
    expect(settle(thrown, policy())).toMatchObject({ type: 'retry', delay: 1_000, error });
    expect(settle(thrown, policy({ attempt: 3 }))).toMatchObject({ type: 'failed', error });
  });
});
