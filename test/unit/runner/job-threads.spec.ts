import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  TaskCancelledError,
  TaskCrashedError,
  TaskShutdownError,
  ThreadStartError,
} from '../../../lib/contracts/errors.js';
import type { Outcome } from '../../../lib/contracts/outcome.js';
import type { JobThreads, ThreadRunControl } from '../../../lib/runner/job-threads.js';
import { aGate, aRunner, aTask, isSettled } from './runner-fixture.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const COMPLETED: Outcome = { type: 'completed', result: '1', keep: 5 };

/** A run of a task with `isolate`, in threads that the test plays. */
function aRunInThread(options: Parameters<typeof aTask>[1] = {}, job: object = {}) {
  const gate = aGate<Outcome>();
  const invoke = vi.fn();
  let control!: ThreadRunControl;
  const threads: JobThreads = {
    run: (_job, given) => {
      control = given;
      return gate.promise;
    },
    close: async () => undefined,
    kill: () => undefined,
  };
  const fixture = aRunner(aTask(invoke, { isolate: 'thread', ...options }), { threads, random: () => 0 });
  const run = fixture.start(job);
  return { gate, invoke, run, control, ...fixture };
}

describe('a job of a task with isolate', () => {
  it('is given to the threads, which decide its outcome', async () => {
    const { run, gate, invoke } = aRunInThread();
    gate.open(COMPLETED);
    expect(await run.outcome).toEqual(COMPLETED);
    expect(run.ended).toBeUndefined();
    expect(invoke).not.toHaveBeenCalled();
  });

  it('is called here where there are no threads', async () => {
    const { outcome } = aRunner(aTask(() => 2, { isolate: 'thread' }));
    expect(await outcome()).toMatchObject({ type: 'completed', result: '2' });
  });

  it('has its timeout counted from the start of its method', async () => {
    const { run, control } = aRunInThread({ timeout: '1s' });
    vi.advanceTimersByTime(5_000);
    expect(await isSettled(run.outcome)).toBe(false);
    control.started();
    vi.advanceTimersByTime(999);
    expect(await isSettled(run.outcome)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await run.outcome).toMatchObject({ type: 'retry', error: { code: 'TASKS_TASK_TIMEOUT' } });
    expect(control.signal.reason).toMatchObject({ code: 'TASKS_TASK_TIMEOUT' });
  });

  it('keeps its place until its thread has ended', async () => {
    const { run, gate, control } = aRunInThread({ timeout: '1s' });
    control.started();
    vi.advanceTimersByTime(1_000);
    await run.outcome;
    const { ended } = run;
    expect(await isSettled(ended!)).toBe(false);
    gate.fail(control.signal.reason);
    await ended;
    expect(run.ended).toBeUndefined();
  });

  it('uses an attempt when it ended its thread, and fails with the last one', async () => {
    const first = aRunInThread();
    first.gate.fail(new TaskCrashedError('out of memory'));
    expect(await first.run.outcome).toMatchObject({ type: 'retry', error: { code: 'TASKS_TASK_CRASHED' } });
    const last = aRunInThread({}, { attemptsMade: 2 });
    last.gate.fail(new TaskCrashedError('out of memory'));
    expect(await last.run.outcome).toMatchObject({ type: 'failed', error: { code: 'TASKS_TASK_CRASHED' } });
  });

  it('fails at once by discardOn: [TaskCrashedError]', async () => {
    const { run, gate } = aRunInThread({ discardOn: [TaskCrashedError] });
    gate.fail(new TaskCrashedError('out of memory'));
    expect(await run.outcome).toMatchObject({ type: 'failed' });
  });

  it('is put off for longer and longer when no thread can start, and uses no attempt', async () => {
    const error = { name: 'ThreadStartError', message: 'no', code: 'TASKS_THREAD_START' };
    const runs = [1, 2].map(() => ({
      attempt: 1,
      startedAt: Date.now(),
      worker: 'a:1',
      outcome: 'snooze' as const,
      error,
    }));
    const { run, gate } = aRunInThread({ attempts: 1 }, { runs });
    gate.fail(new ThreadStartError('no'));
    expect(await run.outcome).toMatchObject({
      type: 'snooze',
      delay: 4_000,
      because: 'snooze',
      error: { message: 'no' },
    });
  });

  it('fails when no thread could start for ten minutes', async () => {
    const error = { name: 'ThreadStartError', message: 'no', code: 'TASKS_THREAD_START' };
    const startedAt = Date.now() - 10 * 60_000;
    const runs = [{ attempt: 1, startedAt, worker: 'a:1', outcome: 'snooze' as const, error }];
    const { run, gate } = aRunInThread({}, { runs });
    gate.fail(new ThreadStartError('no'));
    expect(await run.outcome).toMatchObject({ type: 'failed', error: { code: 'TASKS_THREAD_START' } });
  });

  it('goes back to its queue at a shutdown, also when its thread says nothing', async () => {
    const { run, control } = aRunInThread();
    run.abort(new TaskShutdownError('down'));
    expect(control.signal.reason).toBeInstanceOf(TaskShutdownError);
    vi.advanceTimersByTime(500);
    expect(await run.outcome).toEqual({ type: 'snooze', delay: 0, because: 'shutdown' });
  });

  it('has its signal aborted when it is cancelled, without a line about what it makes of that', async () => {
    const { run, control, gate, logger } = aRunInThread();
    run.abort(new TaskCancelledError('no more'));
    expect(control.signal.reason).toBeInstanceOf(TaskCancelledError);
    gate.fail(control.signal.reason);
    await run.outcome;
    expect(logger.error).not.toHaveBeenCalled();
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('tells a retry and a failure once, where the thread has decided', async () => {
    const { run, gate, logger } = aRunInThread();
    gate.open({ type: 'retry', delay: 10, error: { name: 'Error', message: 'again' } });
    await run.outcome;
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });
});

describe('a runner in a thread', () => {
  it('decides, but tells nobody, and enqueues nothing after a failure', async () => {
    const onFailed = vi.fn();
    const fail = () => {
      throw new Error('no');
    };
    const { outcome, logger, dispatch } = aRunner(aTask(fail, { isolate: 'thread', attempts: 1, onFailed }), {
      isInThread: true,
    });
    expect(await outcome()).toMatchObject({ type: 'failed' });
    expect(onFailed).not.toHaveBeenCalled();
    expect(dispatch).not.toHaveBeenCalled();
    expect(logger.error).not.toHaveBeenCalled();
  });
});
