import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobLockLostError, TaskCancelledError, TaskShutdownError } from '../../../lib/contracts/errors.js';
import { Discard, Retry, Snooze } from '../../../lib/contracts/steering.js';
import { aGate, aRunner, aTask, isSettled } from './runner-fixture.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const SHUTDOWN = new TaskShutdownError('The worker is shutting down.');
const LOCK_LOST = new JobLockLostError('The lock is gone.');
const CANCELLED = new TaskCancelledError('The job was cancelled.');
const PUT_BACK = { type: 'snooze', delay: 0, because: 'shutdown' };

function aGoingRun(options: Parameters<typeof aTask>[1] = {}) {
  const gate = aGate<unknown>();
  let signal!: AbortSignal;
  const fixture = aRunner(
    aTask((_args, context) => {
      signal = context.signal;
      return gate.promise;
    }, options),
  );
  const run = fixture.start();
  return { gate, run, signal, ...fixture };
}

describe('abort at a shutdown', () => {
  it('aborts the signal with the reason', () => {
    const { run, signal } = aGoingRun();
    run.abort(SHUTDOWN);
    expect(signal.reason).toBe(SHUTDOWN);
  });

  it('lets a task complete that ends by itself within 500 ms', async () => {
    const { run, gate } = aGoingRun({ timeout: false });
    run.abort(SHUTDOWN);
    vi.advanceTimersByTime(499);
    gate.open('done');
    expect(await run.outcome).toMatchObject({ type: 'completed', result: '"done"' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('puts the job back when the task throws, without a line in the log', async () => {
    const { run, gate, logger } = aGoingRun({ attempts: 1 });
    run.abort(SHUTDOWN);
    gate.fail(SHUTDOWN);
    expect(await run.outcome).toEqual(PUT_BACK);
    expect(run.ended).toBeUndefined();
    expect(logger.warn).not.toHaveBeenCalled();
    expect(logger.error).not.toHaveBeenCalled();
  });

  it.each([
    ['Retry', new Retry({ delay: 5 }), { type: 'retry', delay: 5 }],
    ['Snooze', new Snooze(6), { type: 'snooze', delay: 6, because: 'snooze' }],
    ['Discard', new Discard('gone'), { type: 'failed' }],
  ])('lets a %s hold', async (_name, thrown, outcome) => {
    const { run, gate } = aGoingRun();
    run.abort(SHUTDOWN);
    gate.fail(thrown);
    expect(await run.outcome).toMatchObject(outcome);
  });

  it('puts the job back after 500 ms when the task does not end, and keeps its end open', async () => {
    const { run, gate } = aGoingRun();
    run.abort(SHUTDOWN);
    vi.advanceTimersByTime(499);
    expect(await isSettled(run.outcome)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await run.outcome).toEqual(PUT_BACK);
    expect(await isSettled(run.ended!)).toBe(false);
    gate.fail(new Error('late'));
    await run.ended;
  });

  it('is harmless a second time and does not start the 500 ms anew', async () => {
    const { run, gate } = aGoingRun();
    run.abort(SHUTDOWN);
    vi.advanceTimersByTime(400);
    run.abort(SHUTDOWN);
    vi.advanceTimersByTime(100);
    expect(await run.outcome).toEqual(PUT_BACK);
    gate.open(undefined);
    await run.ended;
  });

  it('leaves no timer behind when it came twice', async () => {
    const { run, gate } = aGoingRun({ timeout: false });
    run.abort(SHUTDOWN);
    run.abort(SHUTDOWN);
    gate.open('done');
    await run.outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is harmless after the end', async () => {
    const { run, gate, signal, outcome } = aGoingRun();
    gate.open('done');
    const first = await run.outcome;
    run.abort(SHUTDOWN);
    run.abort(LOCK_LOST);
    vi.advanceTimersByTime(60_000);
    expect(signal.aborted).toBe(false);
    expect(await run.outcome).toBe(first);
    expect(await outcome()).toMatchObject({ type: 'completed' });
  });

  it('stands above the timeout', async () => {
    const { run, gate } = aGoingRun({ timeout: 100 });
    run.abort(SHUTDOWN);
    vi.advanceTimersByTime(200);
    expect(await isSettled(run.outcome)).toBe(false);
    gate.open('done');
    expect(await run.outcome).toMatchObject({ type: 'completed' });
  });
});

describe('abort when the lock is lost', () => {
  it('aborts the signal and answers when the method ends', async () => {
    const { run, gate, signal } = aGoingRun({ timeout: '1s' });
    run.abort(LOCK_LOST);
    expect(signal.reason).toBe(LOCK_LOST);
    vi.advanceTimersByTime(299_000);
    expect(await isSettled(run.outcome)).toBe(false);
    gate.open('done');
    expect(await run.outcome).toMatchObject({ type: 'completed' });
  });

  it('has no line in the log for an outcome that the engine drops', async () => {
    const { run, gate, logger } = aGoingRun({ attempts: 1 });
    run.abort(LOCK_LOST);
    gate.fail(LOCK_LOST);
    expect(await run.outcome).toMatchObject({ type: 'failed' });
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('lets a shutdown end the wait', async () => {
    const { run, gate, signal } = aGoingRun();
    run.abort(LOCK_LOST);
    run.abort(SHUTDOWN);
    expect(signal.reason).toBe(LOCK_LOST);
    vi.advanceTimersByTime(500);
    expect(await run.outcome).toEqual(PUT_BACK);
    gate.open(undefined);
    await run.ended;
  });
});

describe('abort when the job is cancelled', () => {
  it('aborts the signal and answers when the method ends', async () => {
    const { run, gate, signal } = aGoingRun({ timeout: '1s' });
    run.abort(CANCELLED);
    expect(signal.reason).toBe(CANCELLED);
    vi.advanceTimersByTime(5_000);
    expect(await isSettled(run.outcome)).toBe(false);
    gate.open('done');
    await run.outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has no line in the log for an outcome that the engine drops', async () => {
    const { run, gate, logger } = aGoingRun({ attempts: 1 });
    run.abort(CANCELLED);
    gate.fail(CANCELLED);
    await run.outcome;
    expect(logger.error).not.toHaveBeenCalled();
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('warns once of a task that ignores its signal and so keeps its place', async () => {
    const { run, gate, logger } = aGoingRun();
    run.abort(CANCELLED);
    vi.advanceTimersByTime(3_600_000);
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/still runs, so it keeps its place/));
    gate.open(undefined);
    await run.outcome;
  });

  it('lets a shutdown end the wait', async () => {
    const { run, gate, signal } = aGoingRun();
    run.abort(CANCELLED);
    vi.advanceTimersByTime(60_000);
    run.abort(SHUTDOWN);
    expect(signal.reason).toBe(CANCELLED);
    vi.advanceTimersByTime(500);
    expect(await run.outcome).toEqual(PUT_BACK);
    gate.open(undefined);
    await run.ended;
  });
});
