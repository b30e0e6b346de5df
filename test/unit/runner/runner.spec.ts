import { describe, expect, it, vi } from 'vitest';
import { TaskShutdownError } from '../../../lib/contracts/errors.js';
import { runScope, TaskContext } from '../../../lib/contracts/task-context.js';
import { Discard, Retry, Snooze } from '../../../lib/contracts/steering.js';
import { aGate, aJob, aRunner, aTask, DEFAULTS, SLOT } from './runner-fixture.js';

function broken(): never {
  throw new Error('out of order');
}

function throwing(error: unknown) {
  return aRunner(aTask(() => Promise.reject(error))).outcome();
}

describe('Runner', () => {
  describe('calling the task', () => {
    it('gives it the decoded arguments and the context', async () => {
      const invoke = vi.fn();
      await aRunner(aTask(invoke)).outcome({ args: '["a",{"b":1}]', attemptsMade: 1 });
      expect(invoke).toHaveBeenCalledExactlyOnceWith(['a', { b: 1 }], expect.any(TaskContext));
      expect(invoke.mock.calls[0][1]).toMatchObject({ jobId: '7', attempt: 2, attempts: 3 });
    });

    it('completes with the result as JSON', async () => {
      const outcome = { type: 'completed', result: '{"sent":true}', keep: DEFAULTS.keepResult };
      expect(await aRunner(aTask(async () => ({ sent: true }))).outcome()).toEqual(outcome);
      expect(await aRunner(aTask(() => ({ sent: true }))).outcome()).toEqual(outcome);
    });

    it.each([[null], [0], [false], [''], [[]]])('keeps %j as a result', async (value) => {
      expect(await aRunner(aTask(async () => value)).outcome()).toMatchObject({ result: JSON.stringify(value) });
    });

    it('has no result where the task answers nothing', async () => {
      expect(await aRunner(aTask(async () => undefined)).outcome()).toEqual({
        type: 'completed',
        keep: DEFAULTS.keepResult,
      });
      expect(await aRunner(aTask(() => undefined)).outcome()).not.toHaveProperty('result');
    });

    it('writes dates in a result as text', async () => {
      expect(await aRunner(aTask(() => new Date(0))).outcome()).toMatchObject({
        result: '"1970-01-01T00:00:00.000Z"',
      });
    });

    it('awaits a thenable that is no promise, inside the run', async () => {
      const query = {
        // oxlint-disable-next-line unicorn/no-thenable -- as query builders are
        then: (resolve: (value: unknown) => void) => resolve(TaskContext.current()?.jobId),
      };
      expect(await aRunner(aTask(() => query)).outcome()).toMatchObject({ type: 'completed', result: '"7"' });
    });

    it('fails an attempt whose thenable cannot be read', async () => {
      // oxlint-disable-next-line unicorn/no-thenable -- the point of this test
      const hostile = Object.defineProperty({}, 'then', {
        get: () => {
          throw new Error('no then');
        },
      });
      expect(await aRunner(aTask(() => hostile)).outcome()).toMatchObject({
        type: 'retry',
        error: { message: 'no then' },
      });
    });

    it('lets the run be found by TaskContext.current() through awaits, and its slot beside it', async () => {
      const seen: unknown[] = [];
      const lend = vi.fn(() => async () => undefined);
      const { start } = aRunner(
        aTask(async (_args, context) => {
          seen.push(TaskContext.current() === context);
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(TaskContext.current() === context);
          await runScope.getStore()!.slot.lend()();
        }),
      );
      await start({}, { lend }).outcome;
      expect(seen).toEqual([true, true]);
      expect(lend).toHaveBeenCalledTimes(1);
      expect(TaskContext.current()).toBeUndefined();
    });

    it('keeps runs that overlap apart', async () => {
      const gate = aGate();
      const { outcome } = aRunner(
        aTask(async () => {
          await gate.promise;
          return TaskContext.current()?.jobId;
        }),
      );
      const both = [outcome({ id: 'a' }), outcome({ id: 'b' })];
      gate.open();
      expect(await Promise.all(both)).toMatchObject([{ result: '"a"' }, { result: '"b"' }]);
    });

    it('has no end to wait for once the outcome is there', async () => {
      const run = aRunner(aTask(async () => 1)).start();
      const { ended } = run;
      await run.outcome;
      expect(run.ended).toBeUndefined();
      await ended;
      expect(aRunner(aTask(() => 1)).start().ended).toBeUndefined();
    });

    it('makes no timer for a task that answers at once', async () => {
      const setTimer = vi.spyOn(globalThis, 'setTimeout');
      await aRunner(aTask(() => 1)).outcome();
      expect(setTimer).not.toHaveBeenCalled();
      setTimer.mockRestore();
    });
  });

  describe('what the job says', () => {
    it('stands above contract, task and defaults', async () => {
      const fail = aTask(
        async () => {
          throw new Error('no');
        },
        { attempts: 2, backoff: '1s' },
        { attempts: 4, backoff: '2s' },
      );
      const { outcome } = aRunner(fail);
      expect(await outcome({ attemptsMade: 2 })).toMatchObject({ type: 'retry', delay: 2_000 });
      expect(await outcome({ attemptsMade: 3 })).toMatchObject({ type: 'failed' });
      const backoff = { type: 'fixed', delay: 9_000, factor: 1, max: 9_000, jitter: 0 } as const;
      expect(await outcome({ attemptsMade: 3, options: { attempts: 5, backoff } })).toMatchObject({
        type: 'retry',
        delay: 9_000,
      });
    });

    it('decides how long the result is kept, 0 included', async () => {
      const { outcome } = aRunner(aTask(() => 1, { keepResult: '1m' }));
      expect(await outcome()).toMatchObject({ keep: 60_000 });
      expect(await outcome({ options: { keepResult: 0 } })).toEqual({ type: 'completed', result: '1', keep: 0 });
    });

    it('is told to the task as its attempts', async () => {
      const { outcome } = aRunner(aTask((_args, context) => context.attempts));
      expect(await outcome({ options: { attempts: 9 } })).toMatchObject({ result: '9' });
    });
  });

  describe('a task that throws', () => {
    it.each([
      [
        'synchronously',
        () => (error: unknown) => {
          throw error;
        },
      ],
      [
        'asynchronously',
        () => async (error: unknown) => {
          throw error;
        },
      ],
    ])('is tried again when it throws %s', async (_how, make) => {
      const { outcome } = aRunner(aTask(() => make()(new Error('smtp is down'))));
      expect(await outcome({ attemptsMade: 1 })).toMatchObject({
        type: 'retry',
        delay: 2_000,
        error: { message: 'smtp is down' },
      });
      expect(await outcome({ attemptsMade: 2 })).toMatchObject({ type: 'failed', keep: DEFAULTS.keepFailed });
    });

    it('steers its job', async () => {
      expect(await throwing(new Retry({ delay: '3s' }))).toMatchObject({ type: 'retry', delay: 3_000 });
      expect(await throwing(new Snooze('4s'))).toEqual({ type: 'snooze', delay: 4_000, because: 'snooze' });
      expect(await throwing(new Discard('gone'))).toMatchObject({ type: 'failed', error: { name: 'Discard' } });
    });

    it('is judged by retryOn and discardOn of the task', async () => {
      const task = aTask(() => Promise.reject(new RangeError()), { retryOn: [Error], discardOn: [RangeError] });
      expect(await aRunner(task).outcome()).toMatchObject({ type: 'failed' });
    });

    it('spreads the default backoff by its jitter', async () => {
      const backoff = { type: 'exponential', delay: 1_000, factor: 2, max: 600_000, jitter: 0.2 } as const;
      const defaults = { ...DEFAULTS, backoff };
      const task = aTask(() => Promise.reject(new Error('no')));
      expect(await aRunner(task, { defaults, random: () => 0 }).outcome()).toMatchObject({ delay: 800 });
    });

    it('falls back to the default backoff when its own does not work, and says so', async () => {
      const { outcome, logger } = aRunner(aTask(() => Promise.reject(new Error('no')), { backoff: broken }));
      expect(await outcome()).toMatchObject({ type: 'retry', delay: 1_000 });
      expect(logger.warn).toHaveBeenCalledWith(expect.stringMatching(/Job 7 .*backoff.*out of order/));
    });
  });

  describe('arguments that cannot be read', () => {
    it.each(['{"to":', '', '{"to":"a"}', '"text"', 'null', '1'])('fail the job at once: %s', async (args) => {
      const invoke = vi.fn();
      const { outcome, logger } = aRunner(aTask(invoke));
      expect(await outcome({ args })).toMatchObject({
        type: 'failed',
        keep: DEFAULTS.keepFailed,
        error: { name: 'InvalidPayloadError', code: 'TASKS_INVALID_PAYLOAD' },
      });
      expect(invoke).not.toHaveBeenCalled();
      expect(logger.error).toHaveBeenCalledTimes(1);
    });
  });

  describe('a result that JSON refuses', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;

    it.each([
      ['BigInt', 1n],
      ['circular', circular],
    ])('fails the job at once, naming the task and the fix: %s', async (_what, value) => {
      for (const invoke of [() => value, async () => value]) {
        expect(await aRunner(aTask(invoke)).outcome()).toMatchObject({
          type: 'failed',
          keep: DEFAULTS.keepFailed,
          error: {
            code: 'TASKS_INVALID_RESULT',
            message: expect.stringMatching(/task MailTasks\.sendEmail.*Return plain data/),
          },
        });
      }
    });
  });

  describe('a task that this worker does not have', () => {
    it('puts the job back and warns once per name', async () => {
      const { outcome, logger } = aRunner(
        aTask(() => 1),
        { random: () => 0 },
      );
      expect(await outcome({ task: 'MailTasks.sendMail' })).toMatchObject({
        type: 'snooze',
        delay: 1_000,
        error: { code: 'TASKS_UNKNOWN_TASK' },
      });
      await outcome({ task: 'MailTasks.sendMail', id: '8' });
      expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
        expect.stringContaining("Did you mean 'MailTasks.sendEmail'?"),
      );
    });

    it('fails the job after 10 minutes, with an error line', async () => {
      const error = { name: 'UnknownTaskError', message: '', code: 'TASKS_UNKNOWN_TASK' };
      const runs = [{ attempt: 1, startedAt: Date.now() - 600_000, worker: 'a', error }];
      const { outcome, logger } = aRunner(aTask(() => 1));
      expect(await outcome({ task: 'gone', runs })).toMatchObject({ type: 'failed' });
      expect(logger.error).toHaveBeenCalledTimes(1);
    });

    it('is looked for again with the next job', async () => {
      const task = aTask(() => 1);
      let names: string[] = [];
      const registry = () => ({
        get: (name: string) => (names.includes(name) ? task : undefined),
        names: () => names,
      });
      const { outcome } = aRunner(task, { registry });
      expect((await outcome()).type).toBe('snooze');
      names = [task.name];
      expect((await outcome()).type).toBe('completed');
    });

    it('can be aborted harmlessly', async () => {
      const { runner } = aRunner(aTask(() => 1));
      const run = runner.start(aJob({ task: 'gone' }), SLOT);
      run.abort(new TaskShutdownError('bye'));
      expect((await run.outcome).type).toBe('snooze');
    });
  });
});
