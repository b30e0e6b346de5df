import { describe, expect, it } from 'vitest';
import { RUNS_KEPT } from '../../../lib/contracts/engine.js';
import { eventually } from '../../support/eventually.js';
import { boom, completed, declined, failed, idsOf, retry, shutdown, snooze, type Scene } from '../scene.js';

export function outcomeCases(scene: Scene): void {
  describe('completed', () => {
    it('keeps the result and the times', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('{"sent":true}')], { worker: 'apollo:42' });
      await scene.settlement(job);
      const record = await scene.known(job);
      expect(record).toMatchObject({ state: 'completed', result: '{"sent":true}', crashes: 0 });
      expect(record.error).toBeUndefined();
      expect(record.runs).toEqual([
        {
          attempt: 1,
          startedAt: expect.any(Number),
          endedAt: expect.any(Number),
          worker: 'apollo:42',
          outcome: 'completed',
        },
      ]);
      const [run] = record.runs;
      expect(record.startedAt).toBe(run.startedAt);
      expect(run.endedAt).toBeGreaterThanOrEqual(run.startedAt);
      expect(record.finishedAt).toBeGreaterThanOrEqual(run.startedAt);
    });

    it('may have no result, which is not the result null', async () => {
      const [nothing, nil] = scene.jobs(2);
      await scene.engine.enqueue([nothing, nil]);
      scene.answer([completed(), completed('null')], { concurrency: 1 });
      expect(await scene.settlement(nothing)).not.toHaveProperty('result', expect.anything());
      expect(await scene.settlement(nil)).toEqual({ state: 'completed', result: 'null' });
      expect((await scene.known(nothing)).result).toBeUndefined();
      expect((await scene.known(nil)).result).toBe('null');
    });

    it('may have an empty text as its result', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('""')]);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '""' });
      expect((await scene.known(job)).result).toBe('""');
    });

    it('is final: the job does not run again', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([completed()]);
      await scene.settlement(job);
      await scene.settlement(await scene.enqueue());
      expect(started.filter((one) => one.id === job.id)).toHaveLength(1);
    });
  });

  describe('retry', () => {
    it('runs the job again at once without a delay', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([retry(0), completed('"second"')]);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '"second"' });
      expect(started).toHaveLength(2);
    });

    it('goes behind the jobs that wait', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const { started } = scene.answer([retry(0), completed()], { concurrency: 1 });
      await eventually(() => expect(idsOf(started)).toEqual([first.id, second.id, first.id]));
    });

    it('waits for its delay, and is delayed meanwhile', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      const before = Date.now();
      run.tell(retry(400));
      await eventually(async () => expect(await scene.engine.state(job)).not.toBe('active'));
      const again = await held.started(2);
      expect(Date.now() - before).toBeGreaterThanOrEqual(400);
      expect(again.job.id).toBe(job.id);
    });

    it('says when the next run is due', async () => {
      const job = await scene.enqueue();
      const before = Date.now();
      scene.answer([retry(60_000)]);
      await scene.becomes(job, 'delayed');
      const { dueAt, finishedAt } = await scene.known(job);
      expect(dueAt).toBeGreaterThanOrEqual(before + 60_000);
      expect(dueAt).toBeLessThanOrEqual(Date.now() + 60_000);
      expect(finishedAt).toBeUndefined();
    });

    it('uses an attempt, and keeps each error with its run', async () => {
      const job = await scene.enqueue();
      const second = { name: 'Error', message: 'Second.' };
      const { started } = scene.answer([retry(0), retry(0, second), completed()]);
      await scene.settlement(job);
      expect(started.map((one) => one.attemptsMade)).toEqual([0, 1, 2]);
      expect((await scene.known(job)).runs).toMatchObject([
        { attempt: 1, outcome: 'retry', error: boom },
        { attempt: 2, outcome: 'retry', error: second },
        { attempt: 3, outcome: 'completed' },
      ]);
    });

    it('hands the earlier runs to the next one', async () => {
      await scene.enqueue();
      const held = scene.hold({ worker: 'apollo:42' });
      (await held.started(1)).tell(retry(0));
      const again = await held.started(2);
      expect(again.job.runs).toEqual([
        {
          attempt: 1,
          startedAt: expect.any(Number),
          endedAt: expect.any(Number),
          worker: 'apollo:42',
          outcome: 'retry',
          error: boom,
        },
      ]);
    });

    it('leaves its places to other jobs while it is delayed', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      scene.answer([retry(60_000), completed()], { concurrency: 1 });
      expect((await scene.settlement(second)).state).toBe('completed');
      expect(await scene.engine.state(first)).toBe('delayed');
    });
  });

  describe('snooze', () => {
    it('runs the job again without using an attempt', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([snooze(0), snooze(50), completed()]);
      await scene.settlement(job);
      expect(started.map((one) => one.attemptsMade)).toEqual([0, 0, 0]);
      expect((await scene.known(job)).runs).toMatchObject([
        { attempt: 1, outcome: 'snooze' },
        { attempt: 1, outcome: 'snooze' },
        { attempt: 1, outcome: 'completed' },
      ]);
    });

    it('waits for its delay, and is delayed meanwhile', async () => {
      const job = await scene.enqueue();
      const before = Date.now();
      scene.answer([snooze(60_000)]);
      await scene.becomes(job, 'delayed');
      expect((await scene.known(job)).dueAt).toBeGreaterThanOrEqual(before + 60_000);
    });

    it('goes behind the jobs that wait', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const { started } = scene.answer([snooze(0), completed()], { concurrency: 1 });
      await eventually(() => expect(idsOf(started)).toEqual([first.id, second.id, first.id]));
    });

    it('is on record as a shutdown where that was the cause, with its error', async () => {
      const job = await scene.enqueue();
      const error = { name: 'TaskShutdownError', message: 'The worker is shutting down.' };
      scene.answer([{ type: 'snooze', delay: 60_000, because: 'shutdown', error }]);
      await scene.becomes(job, 'delayed');
      expect(await scene.known(job)).toMatchObject({
        attemptsMade: 0,
        runs: [{ attempt: 1, outcome: 'shutdown', error }],
      });
    });

    it('without a delay, at shutdown, puts the job before those that wait', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const { started } = scene.answer([shutdown(0), completed()], { concurrency: 1 });
      await scene.settlement(second);
      expect(idsOf(started)).toEqual([first.id, first.id, second.id]);
    });
  });

  describe('declined', () => {
    it('leaves no trace of the run and uses no attempt', async () => {
      const job = await scene.enqueue();
      scene.answer([declined(60_000)]);
      await scene.becomes(job, 'delayed');
      const record = await scene.known(job);
      expect(record).toMatchObject({ runs: [], attemptsMade: 0, crashes: 0 });
      expect(record.startedAt).toBeUndefined();
      expect(record.error).toBeUndefined();
    });

    it('keeps the runs before it', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([retry(0), declined(0), declined(50), completed()]);
      await scene.settlement(job);
      expect(started.map((one) => one.attemptsMade)).toEqual([0, 1, 1, 1]);
      expect((await scene.known(job)).runs).toMatchObject([
        { attempt: 1, outcome: 'retry' },
        { attempt: 2, outcome: 'completed' },
      ]);
    });

    it('offers the job again after the delay', async () => {
      await scene.enqueue();
      const held = scene.hold();
      const before = Date.now();
      (await held.started(1)).tell(declined(200));
      await held.started(2);
      expect(Date.now() - before).toBeGreaterThanOrEqual(200);
    });
  });

  describe('failed', () => {
    it('keeps the error, with its stack and code, and every run', async () => {
      const job = await scene.enqueue();
      scene.answer([retry(0), failed()]);
      expect(await scene.settlement(job)).toEqual({ state: 'failed', error: boom });
      const record = await scene.known(job);
      expect(record).toMatchObject({ state: 'failed', error: boom, attemptsMade: 2 });
      expect(record.runs).toMatchObject([
        { attempt: 1, outcome: 'retry', error: boom },
        { attempt: 2, outcome: 'failed', error: boom },
      ]);
      expect(record.finishedAt).toBeGreaterThanOrEqual(record.runs[1].startedAt);
      expect(record.result).toBeUndefined();
    });

    it('is final: the job does not run again', async () => {
      const job = await scene.enqueue({ options: { attempts: 5 } });
      const { started } = scene.answer([failed(), completed()]);
      await scene.settlement(job);
      await scene.settlement(await scene.enqueue());
      expect(started.filter((one) => one.id === job.id)).toHaveLength(1);
    });

    it('may have an error without a stack, in any script', async () => {
      const error = { name: 'Fehler', message: 'Zoë 日本語 "quoted"\n🎉' };
      const job = await scene.enqueue();
      scene.answer([failed(error)]);
      expect(await scene.settlement(job)).toEqual({ state: 'failed', error });
      expect((await scene.known(job)).error).toEqual(error);
    });
  });

  describe('the runs of a job that never ends', () => {
    it('are kept up to a number, the latest', async () => {
      const job = await scene.enqueue();
      const snoozes = Array.from({ length: RUNS_KEPT + 4 }, () => snooze(0));
      const { started } = scene.answer([retry(0), ...snoozes, completed()]);
      await scene.settlement(job);
      expect(started).toHaveLength(RUNS_KEPT + 6);
      const { runs } = await scene.known(job);
      expect(runs).toHaveLength(RUNS_KEPT);
      expect(runs.at(0)).toMatchObject({ attempt: 2, outcome: 'snooze' });
      expect(runs.at(-1)).toMatchObject({ attempt: 2, outcome: 'completed' });
      expect(started.at(-1)?.runs.length).toBeLessThanOrEqual(RUNS_KEPT);
    });
  });
}
