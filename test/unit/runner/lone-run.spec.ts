import { describe, expect, it, vi } from 'vitest';
import type { Slot } from '../../../lib/contracts/engine.js';
import { JobLockLostError, TaskCancelledError, TaskShutdownError } from '../../../lib/contracts/errors.js';
import { runScope } from '../../../lib/contracts/task-context.js';
import { aGate, aRunner, aTask, isSettled, SLOT } from './runner-fixture.js';

/** A task that notes its calls and goes on until the test lets it end. */
function setUp() {
  const gates = new Map<string, { open(): void }>();
  const calls: string[] = [];
  const task = aTask((_args, { jobId }) => {
    calls.push(jobId);
    const gate = aGate();
    gates.set(jobId, gate);
    return gate.promise;
  });
  const held = { count: 0 };
  const fixture = aRunner(task);
  fixture.runner.govern([
    {
      hold: () => {
        held.count++;
        return () => void held.count--;
      },
    },
  ]);
  const end = (id: string) => gates.get(id)!.open();
  return { ...fixture, calls, held, end, suspect: (id = 'suspect') => fixture.start({ id, crashes: 2 }) };
}

describe('the last try of a job that crashed', () => {
  it('runs at once where nothing else does, and is noted to have begun before its task is called', async () => {
    const { suspect, calls, end, engine, held, logger } = setUp();
    const noted = aGate<boolean>();
    engine.begin.mockImplementation(() => noted.promise);
    const run = suspect();
    await vi.waitFor(() => expect(engine.begin).toHaveBeenCalledWith({ id: 'suspect', queue: 'default' }));
    expect(calls).toEqual([]);
    expect(held.count).toBe(1);
    noted.open(true);
    await vi.waitFor(() => expect(calls).toEqual(['suspect']));
    end('suspect');
    expect(await run.outcome).toMatchObject({ type: 'completed' });
    expect(held.count).toBe(0);
    await vi.waitFor(() =>
      expect(logger.warn.mock.calls.flat()).toEqual([
        expect.stringContaining('was being run 2 times when its process died, so its last try is run alone.'),
        expect.stringContaining('takes other jobs again'),
      ]),
    );
  });

  it('waits for the runs beside it, and says so', async () => {
    const { start, suspect, calls, end, logger } = setUp();
    start({ id: 'a' });
    start({ id: 'b', crashes: 1 });
    const run = suspect();
    end('a');
    expect(await isSettled(run.outcome)).toBe(false);
    expect(calls).toEqual(['a', 'b']);
    expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('as soon as 2 other run(s) have ended'));
    end('b');
    await vi.waitFor(() => expect(calls).toEqual(['a', 'b', 'suspect']));
  });

  it('is joined by nobody who was on the way to begin, whose job goes back unused', async () => {
    const { start, suspect, calls } = setUp();
    const run = suspect();
    expect(await start({ id: 'late' }).outcome).toEqual({ type: 'declined', delay: 0 });
    expect(await suspect('other').outcome).toEqual({ type: 'declined', delay: 0 });
    await vi.waitFor(() => expect(calls).toEqual(['suspect']));
    expect(await start({ id: 'later' }).outcome).toEqual({ type: 'declined', delay: 0 });
    expect(await isSettled(run.outcome)).toBe(false);
  });

  it('does not wait for a run that waits for another job, and keeps it waiting', async () => {
    let lend: (() => () => Promise<void>) | undefined;
    const ends = aGate();
    const back = aGate();
    const task = aTask(async (_args, { jobId }) => {
      if (jobId === 'suspect') return ends.promise;
      const { slot } = runScope.getStore()!;
      lend = () => slot.lend();
      return back.promise;
    });
    const { start, engine } = aRunner(task);
    const parent = start({ id: 'parent' });
    const takeBack = lend!();
    const suspect = start({ id: 'suspect', crashes: 2 });
    await vi.waitFor(() => expect(engine.begin).toHaveBeenCalled());
    const returned = takeBack();
    expect(await isSettled(returned)).toBe(false);
    ends.open();
    await suspect.outcome;
    await returned;
    back.open();
    expect(await parent.outcome).toMatchObject({ type: 'completed' });
  });

  it('lets others run while it waits for another job itself', async () => {
    let takeBack: (() => Promise<void>) | undefined;
    const childEnds = aGate();
    const task = aTask(async (_args, { jobId }) => {
      if (jobId === 'child') return childEnds.promise;
      takeBack = runScope.getStore()!.slot.lend();
      await childEnds.promise;
      await takeBack();
      return 'after';
    });
    const held = { count: 0 };
    const { runner, start } = aRunner(task);
    runner.govern([{ hold: () => (held.count++, () => void held.count--) }]);
    const run = start({ id: 'suspect', crashes: 2 });
    await vi.waitFor(() => expect(takeBack).toBeDefined());
    expect(held.count).toBe(0);
    start({ id: 'child' });
    childEnds.open();
    expect(await run.outcome).toMatchObject({ type: 'completed', result: '"after"' });
    expect(held.count).toBe(0);
  });

  it('counts a run that ended while its place was lent as ended', async () => {
    const task = aTask((_args, { jobId }) => {
      if (jobId === 'parent') void runScope.getStore()!.slot.lend();
      return jobId;
    });
    const { start } = aRunner(task);
    await start({ id: 'parent' }).outcome;
    expect(await start({ id: 'suspect', crashes: 2 }).outcome).toMatchObject({ result: '"suspect"' });
  });

  it.each([
    new TaskShutdownError('The worker is shutting down.'),
    new TaskCancelledError('Cancelled.'),
    new JobLockLostError('Lost.'),
  ])('goes back unused when it is aborted while it waits: $name', async (reason) => {
    const { start, suspect, calls, end, held, engine } = setUp();
    start({ id: 'a' });
    const run = suspect();
    run.abort(reason);
    expect(await run.outcome).toEqual({ type: 'declined', delay: 0 });
    expect(held.count).toBe(0);
    end('a');
    await isSettled(run.outcome);
    expect(calls).toEqual(['a']);
    expect(engine.begin).not.toHaveBeenCalled();
  });

  it('goes back unused at a shutdown while it waits, and is not disturbed once it runs', async () => {
    const { start, suspect, runner, end, calls } = setUp();
    start({ id: 'a' });
    const waiting = suspect();
    runner.dismissWaiting();
    expect(await waiting.outcome).toEqual({ type: 'declined', delay: 0 });
    end('a');
    const running = suspect();
    await vi.waitFor(() => expect(calls).toEqual(['a', 'suspect']));
    runner.dismissWaiting();
    expect(await isSettled(running.outcome)).toBe(false);
    end('suspect');
    expect(await running.outcome).toMatchObject({ type: 'completed' });
  });

  it('is not called when it is aborted while its begin is noted', async () => {
    const { suspect, calls, engine } = setUp();
    const noted = aGate<boolean>();
    engine.begin.mockImplementation(() => noted.promise);
    const run = suspect();
    await vi.waitFor(() => expect(engine.begin).toHaveBeenCalled());
    run.abort(new TaskCancelledError('Cancelled.'));
    noted.open(true);
    expect(await run.outcome).toEqual({ type: 'declined', delay: 0 });
    expect(calls).toEqual([]);
  });

  it.each([
    ['the job is no longer its own', async () => false],
    ['the engine is away', () => Promise.reject(new Error('Away.'))],
  ])('goes back unused when %s', async (_situation, begin) => {
    const { suspect, calls, engine, held } = setUp();
    engine.begin.mockImplementation(begin);
    expect(await suspect().outcome).toEqual({ type: 'declined', delay: 0 });
    expect(calls).toEqual([]);
    expect(held.count).toBe(0);
  });

  it('has its whole timeout from the moment it begins, and keeps others away until its task has ended', async () => {
    const gate = aGate();
    const neighbour = aGate();
    const task = aTask((_args, { jobId }) => (jobId === 'a' ? neighbour.promise : gate.promise));
    const held = { count: 0 };
    const { runner, start } = aRunner(task);
    runner.govern([{ hold: () => (held.count++, () => void held.count--) }]);
    start({ id: 'a' });
    const before = performance.now();
    const run = start({ id: 'suspect', crashes: 2, options: { timeout: 30 } });
    setTimeout(neighbour.open, 60);
    expect(await run.outcome).toMatchObject({ type: 'retry', error: { name: 'TaskTimeoutError' } });
    expect(performance.now() - before).toBeGreaterThan(85);
    expect(held.count).toBe(1);
    gate.open();
    await run.ended;
    await vi.waitFor(() => expect(held.count).toBe(0));
  });

  it('of a job that may crash once is its first', async () => {
    const task = aTask(() => 'fine');
    const { start, engine } = aRunner(task, { maxCrashes: 1 });
    expect(await start({ crashes: 0 }).outcome).toMatchObject({ type: 'completed' });
    expect(engine.begin).not.toHaveBeenCalled();
    expect(await start({ crashes: 1 }).outcome).toMatchObject({ type: 'failed' });
  });

  it('uses the slot that the engine gave it', async () => {
    const lend = vi.fn<Slot['lend']>(() => async () => undefined);
    const task = aTask(async () => {
      await runScope.getStore()!.slot.lend()();
    });
    const { start } = aRunner(task);
    await start({ crashes: 2 }, { ...SLOT, lend }).outcome;
    expect(lend).toHaveBeenCalledTimes(1);
  });
});
