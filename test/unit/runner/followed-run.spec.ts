import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { task } from '../../../lib/client/task.js';
import {
  DuplicateJobError,
  EngineUnavailableError,
  JobLockLostError,
  TaskCancelledError,
  TaskShutdownError,
} from '../../../lib/contracts/errors.js';
import type { FailedJob } from '../../../lib/contracts/job.js';
import type { TaskOptions } from '../../../lib/contracts/task-options.js';
import { aGate, aRunner, aTask, isSettled } from './runner-fixture.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const alert = task<[id: string], void>('alert');
const UNAVAILABLE = new EngineUnavailableError('Redis is away.', { sent: false });
const SHUTDOWN = new TaskShutdownError('The worker is shutting down.');

function aFailing(onFailed: TaskOptions['onFailed'], changes: Parameters<typeof aRunner>[1] = {}) {
  const fail = (): never => {
    throw new RangeError('too far');
  };
  return aRunner(aTask(fail, { attempts: 2, onFailed }), changes);
}

describe('A job that fails for good', () => {
  it('is told of before its failure is on record', async () => {
    const stored = aGate();
    const dispatch = vi.fn(() => stored.promise);
    const failures: FailedJob[] = [];
    const { start } = aFailing(
      (failure) => {
        failures.push(failure);
        return alert(failure.id);
      },
      { dispatch },
    );
    const earlier = { attempt: 1, startedAt: 5, endedAt: 6, worker: 'w', outcome: 'retry' } as const;
    const { outcome } = start({ args: '["ada"]', attemptsMade: 1, runs: [earlier] });
    expect(await isSettled(outcome)).toBe(false);
    expect(dispatch).toHaveBeenCalledExactlyOnceWith(alert('7'), '7:failed');
    stored.open();
    expect(await outcome).toMatchObject({ type: 'failed', error: { message: 'too far' } });
    expect(failures).toMatchObject([
      {
        id: '7',
        task: 'MailTasks.sendEmail',
        args: ['ada'],
        error: { name: 'RangeError', message: 'too far' },
        runs: [
          { attempt: 1, startedAt: new Date(5), outcome: 'retry' },
          { attempt: 2, startedAt: expect.any(Date) as Date, outcome: 'failed', error: { message: 'too far' } },
        ],
      },
    ]);
  });

  it.each([
    ['has crashed too often', { crashes: 3 }],
    ['has arguments that cannot be read', { args: '{' }],
  ])('is told of where it %s, too', async (_, job) => {
    const { outcome, dispatch } = aFailing(({ id }) => alert(id));
    expect(await outcome(job)).toMatchObject({ type: 'failed' });
    expect(dispatch).toHaveBeenCalledExactlyOnceWith(alert('7'), '7:failed');
  });

  it('is not told of while it is tried again, nor when it completes', async () => {
    const { outcome, dispatch } = aFailing(({ id }) => alert(id));
    expect(await outcome()).toMatchObject({ type: 'retry' });
    const completing = aRunner(aTask(() => 1, { onFailed: ({ id }) => alert(id) }));
    expect(await completing.outcome()).toMatchObject({ type: 'completed' });
    expect([dispatch, completing.dispatch].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it('has a call with an id of its own for each time that it was started afresh', async () => {
    const { outcome, dispatch } = aFailing(({ id }) => alert(id));
    const run = (outcomeOfRun: 'failed' | 'crashed') => ({
      attempt: 2,
      startedAt: 1,
      worker: 'w',
      outcome: outcomeOfRun,
    });
    await outcome({ attemptsMade: 1, runs: [run('crashed')] });
    await outcome({ attemptsMade: 1, runs: [run('crashed'), run('failed')] });
    expect(dispatch.mock.calls.map((call: unknown[]) => call[1])).toEqual(['7:failed', '7:failed:2']);
  });

  it('keeps the id that the call brings, and makes a long one short', async () => {
    const named = aFailing(({ id }) => alert(id).with({ jobId: `alert-${id}` }));
    await named.outcome({ attemptsMade: 1 });
    expect(named.dispatch).toHaveBeenCalledWith(expect.anything(), 'alert-7');
    const long = aFailing(({ id }) => alert(id));
    await long.outcome({ id: 'x'.repeat(250), attemptsMade: 1 });
    expect(long.dispatch).toHaveBeenCalledWith(expect.anything(), expect.stringMatching(/^[\w-]{27}:failed$/));
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no channel');
      },
      'TypeError: no channel',
    ],
    ['answers no call', () => 'alert', 'onFailed of task MailTasks.sendEmail answered no call of a task'],
    ['answers a promise', async () => alert('7'), 'at once and not by a promise'],
  ])('fails all the same where onFailed %s', async (_, onFailed, message) => {
    const { outcome, logger, dispatch } = aFailing(onFailed as never);
    expect(await outcome({ attemptsMade: 1 })).toMatchObject({ type: 'failed', error: { message: 'too far' } });
    expect(dispatch).not.toHaveBeenCalled();
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining(message), expect.any(String));
  });

  it('fails all the same where the call is refused', async () => {
    const dispatch = () => Promise.reject(new DuplicateJobError('The key is taken.', 'other'));
    const { outcome, logger } = aFailing(({ id }) => alert(id), { dispatch });
    expect(await outcome({ attemptsMade: 1 })).toMatchObject({ type: 'failed' });
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining('The key is taken.'), expect.any(String));
  });
});

describe('A failed job whose engine is away', () => {
  function anOutage(failures: number) {
    let left = failures;
    const dispatch = vi.fn(() => (left-- > 0 ? Promise.reject(UNAVAILABLE) : Promise.resolve()));
    const { start, logger } = aFailing(({ id }) => alert(id), { dispatch });
    return { dispatch, logger, run: start({ attemptsMade: 1 }) };
  }

  it('is told of again every second until that is stored, with one line in the log', async () => {
    const { dispatch, run, logger } = anOutage(3);
    for (const calls of [1, 2, 3]) {
      await vi.advanceTimersByTimeAsync(calls === 1 ? 999 : 1_000);
      expect(dispatch).toHaveBeenCalledTimes(calls);
      expect(await isSettled(run.outcome)).toBe(false);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await run.outcome).toMatchObject({ type: 'failed' });
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/cannot be enqueued yet: Redis is away/));
  });

  it('goes back to its queue at a shutdown', async () => {
    const { dispatch, run } = anOutage(Infinity);
    await vi.advanceTimersByTimeAsync(1_500);
    run.abort(SHUTDOWN);
    expect(await run.outcome).toEqual({ type: 'snooze', delay: 0, because: 'shutdown' });
    expect(dispatch).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('A run whose outcome is dropped', () => {
  it.each([new TaskCancelledError('cancelled'), new JobLockLostError('lost')])(
    'tells nobody: $name',
    async (reason) => {
      const gate = aGate();
      const { start, dispatch } = aRunner(aTask(() => gate.promise, { attempts: 1, onFailed: ({ id }) => alert(id) }));
      const run = start();
      run.abort(reason);
      gate.fail(reason);
      await run.outcome;
      expect(dispatch).not.toHaveBeenCalled();
    },
  );
});
