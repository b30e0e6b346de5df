import { describe, expect, it, vi } from 'vitest';
import { shortHash } from '../../../lib/limits/unique-key.js';
import { aRunner, aTask } from './runner-fixture.js';

const LIMITS = { concurrency: { max: 1, key: (to: string) => to }, rateLimit: { max: 5, per: '1s' } } as const;
const CONCURRENCY = { key: `MailTasks.sendEmail:${shortHash('ada')}`, max: 1 };
const RATE = { key: 'MailTasks.sendEmail', max: 5, per: 1_000 };

describe('A job without the limits of its task', () => {
  it('goes back with them, beside the rules that it has, before the task is called', async () => {
    const invoke = vi.fn();
    const { outcome } = aRunner(aTask(invoke, LIMITS));
    expect(await outcome({ args: '["ada"]', rules: { priority: 'high' } })).toEqual({
      type: 'declined',
      delay: 0,
      rules: { priority: 'high', concurrency: CONCURRENCY, rate: RATE },
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('gets only what it lacks', async () => {
    const older = { key: `MailTasks.sendEmail:${shortHash('ada')}`, max: 9 };
    const { outcome } = aRunner(aTask(() => 1, LIMITS));
    expect(await outcome({ args: '["ada"]', rules: { concurrency: older } })).toEqual({
      type: 'declined',
      delay: 0,
      rules: { concurrency: older, rate: RATE },
    });
  });

  it('fails where they cannot be made of its arguments', async () => {
    const { outcome } = aRunner(aTask(() => 1, LIMITS));
    expect(await outcome({ args: '[42]' })).toMatchObject({
      type: 'failed',
      error: { name: 'InvalidOptionsError', message: expect.stringContaining('concurrency.key of task') as string },
    });
  });
});

describe('A job with the limits of its task', () => {
  it('runs, whatever its limits were when it was enqueued', async () => {
    const { outcome } = aRunner(aTask(() => 1, LIMITS));
    const rules = { concurrency: { ...CONCURRENCY, max: 9 }, rate: RATE };
    expect(await outcome({ args: '["ada"]', rules })).toMatchObject({ type: 'completed' });
  });
});
