import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TaskShutdownError, TaskTimeoutError } from '../../../lib/contracts/errors.js';
import { aGate, aRunner, aTask, isSettled } from './runner-fixture.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A task that does not look at its signal and goes on until the gate opens. */
function anOverdueRun(options: Parameters<typeof aTask>[1] = { timeout: '1s' }) {
  const gate = aGate<unknown>();
  const fixture = aRunner(aTask(() => gate.promise, options));
  const run = fixture.start();
  return { gate, run, ...fixture };
}

describe('timeout', () => {
  it('fails the attempt at the deadline, naming task and timeout and telling what to do', async () => {
    const { run } = anOverdueRun();
    vi.advanceTimersByTime(999);
    expect(await isSettled(run.outcome)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await run.outcome).toMatchObject({
      type: 'retry',
      delay: 1_000,
      error: {
        code: 'TASKS_TASK_TIMEOUT',
        message: expect.stringMatching(/MailTasks\.sendEmail.*1000 ms.*context\.signal/),
      },
    });
  });

  it('fails the job on the last attempt', async () => {
    const { run, logger } = anOverdueRun({ timeout: '1s', attempts: 1 });
    vi.advanceTimersByTime(1_000);
    expect(await run.outcome).toMatchObject({ type: 'failed', error: { name: 'TaskTimeoutError' } });
    expect(logger.error).toHaveBeenCalledTimes(1);
  });

  it('is judged by discardOn like any error', async () => {
    const { run } = anOverdueRun({ timeout: '1s', discardOn: [TaskTimeoutError] });
    vi.advanceTimersByTime(1_000);
    expect(await run.outcome).toMatchObject({ type: 'failed' });
  });

  it('aborts the signal', async () => {
    const { start } = aRunner(
      aTask(
        (_args, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        { timeout: '1s' },
      ),
    );
    const run = start();
    vi.advanceTimersByTime(1_000);
    expect(await run.outcome).toMatchObject({ type: 'retry', error: { code: 'TASKS_TASK_TIMEOUT' } });
    await run.ended;
    expect(run.ended).toBeUndefined();
  });

  it('gives the place of a method that never ends to others after 5 minutes', async () => {
    const { run, gate, logger, start } = anOverdueRun({ timeout: '1s', attempts: 1 });
    vi.advanceTimersByTime(1_000);
    await run.outcome;
    const ended = run.ended!;
    vi.advanceTimersByTime(299_999);
    expect(await isSettled(ended)).toBe(false);
    vi.advanceTimersByTime(1);
    await ended;
    expect(logger.error).toHaveBeenLastCalledWith(expect.stringContaining('Its place goes to other jobs now'));
    // It counts as ended once, whenever it ends.
    gate.open(undefined);
    await isSettled(ended);
    const suspect = start({ id: 'suspect', crashes: 2 });
    gate.open(undefined);
    expect(await suspect.outcome).toMatchObject({ type: 'completed' });
  });

  it('keeps the end open until the method really ends', async () => {
    const { run, gate } = anOverdueRun();
    vi.advanceTimersByTime(1_000);
    await run.outcome;
    const ended = run.ended!;
    expect(await isSettled(ended)).toBe(false);
    gate.open('late');
    await ended;
    expect(run.ended).toBeUndefined();
  });

  it('drops what the run answers or throws later', async () => {
    const { run, gate, logger } = anOverdueRun();
    const early = run.ended;
    vi.advanceTimersByTime(1_000);
    const outcome = await run.outcome;
    gate.fail(new Error('late'));
    await early;
    expect(await run.outcome).toBe(outcome);
    expect(logger.warn).toHaveBeenCalledTimes(1);
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('lasts 5 minutes by default, and is none with false', async () => {
    const { run } = anOverdueRun({});
    const { run: unlimited, start } = anOverdueRun({ timeout: false });
    const limitedByJob = start({ options: { timeout: 1_000 } });
    vi.advanceTimersByTime(1_000);
    expect(await isSettled(limitedByJob.outcome)).toBe(true);
    vi.advanceTimersByTime(298_999);
    expect(await isSettled(run.outcome)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await isSettled(run.outcome)).toBe(true);
    vi.advanceTimersByTime(3_600_000);
    expect(await isSettled(unlimited.outcome)).toBe(false);
  });

  it('does not touch a run that ended in time', async () => {
    const { run, gate, logger } = anOverdueRun();
    gate.open('done');
    expect(await run.outcome).toMatchObject({ type: 'completed' });
    vi.advanceTimersByTime(60_000);
    expect(logger.warn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('warns once about a run that still goes on 10 s after', async () => {
    const { run, gate, logger } = anOverdueRun();
    vi.advanceTimersByTime(1_000);
    await run.outcome;
    logger.warn.mockClear();
    vi.advanceTimersByTime(9_999);
    expect(logger.warn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/Job 7 of task MailTasks\.sendEmail.*still runs/),
    );
    gate.open(undefined);
    await run.ended;
  });

  it('does not warn about a run that ends soon after', async () => {
    const { run, gate, logger } = anOverdueRun();
    vi.advanceTimersByTime(1_000);
    await run.outcome;
    logger.warn.mockClear();
    gate.open(undefined);
    await run.ended;
    vi.advanceTimersByTime(60_000);
    expect(logger.warn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ignores an abort after the outcome', async () => {
    const { run, gate } = anOverdueRun();
    vi.advanceTimersByTime(1_000);
    const outcome = await run.outcome;
    run.abort(new TaskShutdownError('bye'));
    vi.advanceTimersByTime(500);
    expect(await run.outcome).toBe(outcome);
    gate.open(undefined);
    await run.ended;
  });
});
