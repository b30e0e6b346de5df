import { describe, expect, it, vi } from 'vitest';
import type { Engine, EngineWorker } from '../../../lib/contracts/engine.js';
import { TaskShutdownError } from '../../../lib/contracts/errors.js';
import type { TasksSettings } from '../../../lib/contracts/settings.js';
import type { Runner } from '../../../lib/runner/runner.js';
import { Workers } from '../../../lib/runner/workers.js';
import { deferred } from '../../support/eventually.js';

function setUp(running = 0) {
  const stopped = deferred();
  const worker = {
    active: running,
    stop: vi.fn(() => (running === 0 ? Promise.resolve() : stopped.promise)),
    abort: vi.fn(() => stopped.resolve()),
    hold: vi.fn(() => () => undefined),
  } satisfies EngineWorker;
  const work = vi.fn(() => worker);
  const settings = {
    queues: new Map([
      ['default', { concurrency: 3 }],
      ['mail', { concurrency: 1 }],
    ]),
    workerQueues: ['default'],
    shutdownGrace: 60_000,
    maxPayload: 1_000,
  } as unknown as TasksSettings;
  const govern = vi.fn();
  const loop = { start: vi.fn(), stop: vi.fn() };
  const runner = { suspectFrom: 2, govern, loop, dismissWaiting: vi.fn() } as unknown as Runner;
  const logger = { log: vi.fn(), warn: vi.fn() };
  const workers = new Workers({ work } as unknown as Engine, runner, settings, logger as never);
  return { work, worker, workers, govern, loop };
}

describe('the workers of a process', () => {
  it('work the queues that it serves, each with its concurrency', () => {
    const { work, worker, workers, govern } = setUp();
    workers.start();
    expect(govern).toHaveBeenCalledWith([worker]);
    expect(work.mock.calls).toEqual([
      ['default', { concurrency: 3, worker: expect.stringMatching(/:\d+$/), suspectFrom: 2 }, expect.any(Function)],
    ]);
  });

  it('do not start once the app was closed, as happens while it boots', async () => {
    const { work, workers } = setUp();
    await workers.drain();
    workers.start();
    expect(work).not.toHaveBeenCalled();
  });

  it('tell why they do not work: before they start, and from the beginning of their end', async () => {
    const { workers } = setUp();
    expect(workers.problems()).toEqual([expect.stringMatching(/booting/)]);
    workers.start();
    expect(workers.problems()).toEqual([]);
    const drained = workers.drain();
    expect(workers.problems()).toEqual([expect.stringMatching(/shutting down/)]);
    await drained;
  });

  it('drain once, however often they are told', async () => {
    const { worker, workers, loop } = setUp();
    workers.start();
    expect(loop.start).toHaveBeenCalledTimes(1);
    await Promise.all([workers.drain(), workers.drain()]);
    expect(worker.stop).toHaveBeenCalledTimes(1);
    expect(loop.stop).toHaveBeenCalledTimes(1);
  });

  it('abort what runs at a second signal, and listen to no signal afterwards', async () => {
    const before = process.listenerCount('SIGTERM');
    const { worker, workers } = setUp(2);
    workers.start();
    const drained = workers.drain();
    expect(worker.abort).not.toHaveBeenCalled();
    // Only what the workers added: the test runner listens too.
    process.listeners('SIGTERM').at(-1)!('SIGTERM');
    await drained;
    expect(worker.abort).toHaveBeenCalledWith(expect.any(TaskShutdownError));
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
