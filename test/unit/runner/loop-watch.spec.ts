import { afterEach, describe, expect, it, vi } from 'vitest';
import { LoopWatch, type BlockedLoop } from '../../../lib/runner/loop-watch.js';
import { aRunner, aTask } from './runner-fixture.js';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A runner whose watch finds a block of a fourth of the lock worth a line: 100 ms, if it is not told otherwise. */
function watched(invoke: () => unknown, lockDuration = 400) {
  const fixture = aRunner(aTask(invoke), { lockDuration });
  fixture.runner.loop.start();
  stops.push(() => fixture.runner.loop.stop());
  return fixture;
}

describe('an event loop that a task blocks', () => {
  it('is warned of with the name of the task, for how long, and what to do', async () => {
    const { start, logger } = watched(() => block(250));
    await wait(30);
    await start().outcome;
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledTimes(1));
    const line = String(logger.warn.mock.calls[0][0]);
    const blocked = Number(/blocked for (\d+) ms while these tasks ran: MailTasks\.sendEmail\./.exec(line)?.[1]);
    expect(blocked).toBeGreaterThan(200);
    expect(line).toMatch(/after 400 ms other workers take the jobs/);
    expect(line).toMatch(/smaller steps.*isolate: 'thread'/);
    expect(line).not.toMatch(/hardly computed/);
  });

  it('is warned of where the task blocks it after an await and ends', async () => {
    const { start, logger } = watched(async () => {
      await wait(60);
      block(250);
    });
    await start().outcome;
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('MailTasks.sendEmail')));
  });

  it('says so where the process waited rather than computed', async () => {
    const { start, logger } = watched(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    });
    await start().outcome;
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('hardly computed')));
  });

  it('gets no line where no task ran, nor for a short time', async () => {
    const { start, logger } = watched(() => block(50), 4_000);
    block(1_500);
    // The watch looks once in 250 ms.
    await wait(300);
    await start().outcome;
    await wait(300);
    expect(logger.warn).not.toHaveBeenCalled();
  });
});

describe('lines about a blocked event loop', () => {
  it('come once in a while, and the next one counts those left out', async () => {
    const told: BlockedLoop[] = [];
    const activity = { running: 1, look: 0 };
    const activities = () => [['Mail.send', activity] as const];
    const loop = new LoopWatch({ lockDuration: 400, activities, report: (found) => told.push(found) }, 600);
    loop.start();
    stops.push(() => loop.stop());
    const blockOnce = async (): Promise<void> => {
      block(150);
      await wait(60);
    };
    await blockOnce();
    await blockOnce();
    expect(told).toMatchObject([{ tasks: ['Mail.send'], untold: 0 }]);
    await wait(600);
    await blockOnce();
    expect(told).toHaveLength(2);
    expect(told[1].untold).toBeGreaterThanOrEqual(1);
  });
});
