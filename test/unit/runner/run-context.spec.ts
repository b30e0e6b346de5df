import { describe, expect, it, vi } from 'vitest';
import { TaskShutdownError, TaskTimeoutError } from '../../../lib/contracts/errors.js';
import { RunContext } from '../../../lib/runner/run-context.js';
import { aJob } from './runner-fixture.js';

function aContext(changes: Parameters<typeof aJob>[0] = {}) {
  const engine = { progress: vi.fn(async () => undefined), log: vi.fn(async () => undefined) };
  return { engine, context: new RunContext(aJob(changes), 3, engine) };
}

/** No vi.fn: a mock handles the rejections that it answers. */
function away(): Promise<void> {
  return Promise.reject(new Error('away'));
}

describe('RunContext', () => {
  it('tells what the task may know about its run', () => {
    const { context } = aContext({ attemptsMade: 1, metadata: { tenant: 'acme' }, queue: 'mail' });
    expect(context).toMatchObject({
      jobId: '7',
      task: 'MailTasks.sendEmail',
      queue: 'mail',
      attempt: 2,
      attempts: 3,
      enqueuedAt: new Date(Date.UTC(2026, 0, 1)),
      metadata: { tenant: 'acme' },
    });
  });

  it('makes a signal only when it is read, and only one', () => {
    const Original = globalThis.AbortController;
    const made = vi.fn();
    vi.stubGlobal(
      'AbortController',
      class extends Original {
        constructor() {
          super();
          made();
        }
      },
    );
    try {
      const { context } = aContext();
      expect(made).not.toHaveBeenCalled();
      expect(context.signal).toBe(context.signal);
      expect(made).toHaveBeenCalledTimes(1);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('aborts the signal with the first reason', () => {
    const { context } = aContext();
    const { signal } = context;
    const reason = new TaskTimeoutError('too long');
    context.abort(reason);
    context.abort(new TaskShutdownError('bye'));
    expect(signal.reason).toBe(reason);
  });

  it('has an aborted signal when it is read after the abort', () => {
    const { context } = aContext();
    const reason = new TaskTimeoutError('too long');
    context.abort(reason);
    expect(context.signal).toMatchObject({ aborted: true, reason });
  });

  it('hands progress to the engine as JSON', async () => {
    const { context, engine } = aContext();
    await context.progress({ done: 1, total: 3 });
    expect(engine.progress).toHaveBeenCalledExactlyOnceWith({ id: '7', queue: 'default' }, '{"done":1,"total":3}');
    await context.progress(undefined);
    expect(engine.progress).toHaveBeenLastCalledWith({ id: '7', queue: 'default' }, 'null');
  });

  it('refuses a progress value that JSON would change, naming the job', () => {
    const { context, engine } = aContext();
    expect(() => context.progress({ at: new Date() })).toThrow(/Progress of job 7 .*at: a Date/);
    expect(engine.progress).not.toHaveBeenCalled();
  });

  it('hands log lines to the engine as text', async () => {
    const { context, engine } = aContext();
    await context.log('half done');
    await context.log(42);
    await context.log(undefined);
    expect(engine.log.mock.calls.map((call: unknown[]) => call[1])).toEqual(['half done', '42', 'undefined']);
  });

  it('rejects for whoever awaits, and disturbs nobody else, when the engine is away', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const context = new RunContext(aJob(), 3, { progress: away, log: away });
      void context.progress(1);
      void context.log('line');
      await expect(context.progress(2)).rejects.toThrow('away');
      await expect(context.log('line')).rejects.toThrow('away');
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});
