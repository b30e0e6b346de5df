import { describe, expect, it, vi } from 'vitest';
import type { ActiveJob } from '../../../lib/contracts/engine.js';
import { Snooze } from '../../../lib/contracts/steering.js';
import { RunLog } from '../../../lib/runner/run-log.js';
import { aRunner, aTask } from './runner-fixture.js';

function broken(): never {
  throw new Error('out of order');
}

describe('The log of a runner', () => {
  const failing = aTask(() => Promise.reject(new Error('smtp is down')), { attempts: 2 });

  it('has one warn line per retry, with the delay', async () => {
    const { outcome, logger } = aRunner(failing);
    await outcome();
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
      'Job 7 of task MailTasks.sendEmail, attempt 1/2 failed: Error: smtp is down – retry in 1000 ms',
    );
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('has one error line per failed job, with the stack', async () => {
    const { outcome, logger } = aRunner(failing);
    await outcome({ attemptsMade: 1 });
    expect(logger.error).toHaveBeenCalledExactlyOnceWith(
      'Job 7 of task MailTasks.sendEmail, attempt 2/2 failed: Error: smtp is down',
      expect.stringContaining('run-log.spec.ts'),
    );
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('is silent about completed and snoozed jobs', async () => {
    const { outcome, logger } = aRunner(aTask(([snooze]) => (snooze ? Promise.reject(new Snooze(1)) : 1)));
    await outcome({ args: '[true]' });
    await outcome({ args: '[false]' });
    expect(logger.warn).not.toHaveBeenCalled();
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('costs no outcome when the logger throws', async () => {
    const { outcome } = aRunner(failing, { logger: { warn: broken, error: broken } });
    expect((await outcome()).type).toBe('retry');
    expect((await outcome({ attemptsMade: 1 })).type).toBe('failed');
  });
});

describe('Failures that wait for the engine', () => {
  it('have one line a minute, not one for each job of an outage', () => {
    vi.useFakeTimers();
    const logger = { warn: vi.fn(), error: vi.fn() };
    const log = new RunLog(logger);
    const job = (id: string) => ({ id, task: 'MailTasks.sendEmail' }) as ActiveJob;
    for (let id = 0; id < 50; id++) log.waitingWithFailure(job(`${id}`), new Error('Redis is away.'));
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^Job 0 .*as for others/));
    vi.advanceTimersByTime(60_000);
    log.waitingWithFailure(job('50'), new Error('Redis is away.'));
    expect(logger.warn).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });
});
