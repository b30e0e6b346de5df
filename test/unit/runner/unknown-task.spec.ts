import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../lib/contracts/job.js';
import { settleUnknownTask } from '../../../lib/runner/unknown-task.js';
import { aJob, DEFAULTS } from './runner-fixture.js';

const START = Date.UTC(2026, 0, 1);
const KNOWN = ['MailTasks.sendMail', 'Shop.pay'];

function settleAfter(runs: RunRecord[], now = START, chance = 0) {
  return settleUnknownTask(aJob({ runs }), KNOWN, now, DEFAULTS.keepFailed, () => chance);
}

function refusal(startedAt: number): RunRecord {
  const error = { name: 'UnknownTaskError', message: 'not here', code: 'TASKS_UNKNOWN_TASK' };
  return { attempt: 1, startedAt, worker: 'a:1', outcome: 'snooze', error };
}

describe('settleUnknownTask', () => {
  it('puts the job back after 1 s, with the nearest name and the fix', () => {
    expect(settleAfter([])).toMatchObject({
      type: 'snooze',
      delay: 1_000,
      because: 'snooze',
      error: { name: 'UnknownTaskError', code: 'TASKS_UNKNOWN_TASK' },
    });
    const outcome = settleAfter([]);
    const message = outcome.type === 'snooze' ? outcome.error!.message : '';
    expect(message).toContain("'MailTasks.sendEmail'");
    expect(message).toContain("Did you mean 'MailTasks.sendMail'?");
    expect(message).toContain('add the provider');
  });

  it('doubles the delay up to 15 s', () => {
    const delays = [0, 1, 2, 3, 4, 5, 40].map((count) => {
      const outcome = settleAfter(Array.from({ length: count }, () => refusal(START)));
      return outcome.type === 'snooze' ? outcome.delay : undefined;
    });
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it('shortens the delay by up to a half, so that jobs do not come back in step', () => {
    expect(settleAfter([], START, 0.998)).toMatchObject({ delay: 501 });
    expect(settleAfter([refusal(START)], START, 0.5)).toMatchObject({ delay: 1_500 });
  });

  it('fails the job 10 minutes after it first met such a worker', () => {
    const runs = [refusal(START), refusal(START + 300_000)];
    expect(settleAfter(runs, START + 599_999).type).toBe('snooze');
    expect(settleAfter(runs, START + 600_000)).toMatchObject({
      type: 'failed',
      keep: DEFAULTS.keepFailed,
      error: {
        code: 'TASKS_UNKNOWN_TASK',
        message: expect.stringMatching(/Did you mean 'MailTasks.sendMail'\?.*@Task\(\{ name: /),
      },
    });
  });

  it('starts the count anew after a run by a worker that had the task', () => {
    const known: RunRecord = { attempt: 1, startedAt: START + 1_000, worker: 'b:1', outcome: 'retry' };
    expect(settleAfter([refusal(START), known], START + 700_000)).toMatchObject({ type: 'snooze', delay: 1_000 });
    expect(settleAfter([refusal(START), known, refusal(START + 200_000)], START + 700_000)).toMatchObject({
      type: 'snooze',
      delay: 2_000,
    });
  });
});
