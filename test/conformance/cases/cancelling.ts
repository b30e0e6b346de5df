import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import { EngineUnavailableError, TaskCancelledError } from '../../../lib/contracts/errors.js';
import { eventually } from '../../support/eventually.js';
import { paced, tagged } from '../rules.js';
import { completed, declined, failed, idsOf, KEEP, retry, running, snooze, type Scene } from '../scene.js';

export function cancelCases(scene: Scene): void {
  /** Makes a job in one way of not running. */
  const WAYS_TO_WAIT: Readonly<Record<string, () => Promise<NewJob>>> = {
    'that waits': () => scene.enqueue(),
    'that is delayed': () => scene.jobIn('delayed'),
    'that is parked': async () => (await scene.park(1)).parked[0],
    'that waits for a rate': async () => {
      scene.answer([completed()]);
      await scene.settlement(await scene.enqueue({ rules: paced(1, KEEP) }));
      const job = await scene.enqueue({ rules: paced(1, KEEP) });
      await scene.waitsFor(job, 'rate');
      return job;
    },
    'of a paused queue': async () => {
      await scene.engine.pause('default', 'cluster');
      return scene.enqueue();
    },
  };

  describe.each(Object.entries(WAYS_TO_WAIT))('cancelling a job %s', (_way, make) => {
    it('ends it at once, and it never starts', async () => {
      const job = await make();
      const before = await scene.engine.counts('default');
      const settlement = scene.settlement(job);
      const from = Date.now();
      expect(await scene.engine.cancel([job])).toEqual([true]);
      expect(await scene.engine.state(job)).toBe('cancelled');
      expect(await settlement).toEqual({ state: 'cancelled' });
      expect(await scene.settlement(job)).toEqual({ state: 'cancelled' });
      const record = await scene.known(job);
      expect(record).toMatchObject({ state: 'cancelled', runs: [], attemptsMade: 0 });
      expect(record.waitingFor).toBeUndefined();
      expect(record.finishedAt).toBeGreaterThanOrEqual(from);
      expect(record.finishedAt).toBeLessThanOrEqual(Date.now());
      const { waiting, delayed, ...others } = before;
      expect(waiting + delayed).toBe(1);
      await scene.expectCounts({ ...others, cancelled: 1 });
      await scene.engine.resume('default', 'cluster');
      const { started } = scene.answer([completed()]);
      await scene.roundTrip();
      expect(idsOf(started)).not.toContain(job.id);
    });
  });

  describe('cancelling a job that waits for its retry', () => {
    it('keeps its runs, and starts no other', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([retry(300), completed()]);
      await scene.becomes(job, 'delayed');
      const { dueAt } = await scene.known(job);
      expect(await scene.engine.cancel([job])).toEqual([true]);
      await scene.passed(dueAt! + 20);
      await scene.roundTrip();
      expect(started).toHaveLength(1);
      const { runs, state } = await scene.known(job);
      expect(state).toBe('cancelled');
      expect(runs).toMatchObject([{ attempt: 1, outcome: 'retry' }]);
      await scene.expectCounts({ cancelled: 1 });
    });
  });

  describe('cancelling a job that runs', () => {
    it('ends it at once, with the run on record, while the run goes on', async () => {
      const job = await scene.enqueue({ args: '["Zoë"]', rules: tagged('ada') });
      const settlement = scene.settlement(job);
      const held = scene.hold();
      await held.started(1);
      expect(await scene.engine.cancel([job])).toEqual([true]);
      expect(await scene.engine.state(job)).toBe('cancelled');
      expect(await settlement).toEqual({ state: 'cancelled' });
      const record = await scene.known(job);
      expect(record).toMatchObject({ state: 'cancelled', args: '["Zoë"]', rules: tagged('ada') });
      expect(record.runs).toMatchObject([{ attempt: 1, outcome: 'cancelled', endedAt: expect.any(Number) }]);
      expect(record.finishedAt).toBeGreaterThanOrEqual(record.startedAt!);
      expect(held.worker.active).toBe(1);
      await scene.expectCounts({ cancelled: 1 });
    });

    it('aborts this run within a second, and no other', async () => {
      const [job, other] = scene.jobs(2);
      await scene.engine.enqueue([job, other]);
      const held = scene.hold();
      await held.started(2);
      await scene.engine.cancel([job]);
      const [run, otherRun] = [job, other].map(({ id }) => held.runs.find((one) => one.job.id === id)!);
      await eventually(() => expect(run.aborted).toBeInstanceOf(TaskCancelledError), { timeout: 1_000 });
      await scene.roundTrip();
      expect(otherRun.aborted).toBeUndefined();
      expect(await scene.engine.state(other)).toBe('active');
    });

    it.each([
      ['completed', completed('1')],
      ['completed, and nothing of it is to be kept', completed('1', 0)],
      ['retry', retry(0)],
      ['snooze', snooze(20)],
      ['declined', declined(0)],
      ['failed', failed()],
    ])('drops its outcome: %s', async (_type, outcome) => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      await scene.engine.cancel([job]);
      const before = await scene.known(job);
      run.tell(outcome);
      await eventually(() => expect(held.worker.active).toBe(0));
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      expect(await scene.known(job)).toEqual(before);
      expect(await scene.settlement(job)).toEqual({ state: 'cancelled' });
      await scene.expectCounts({ cancelled: 1 });
    });

    it('keeps its place in the worker until the run ends', async () => {
      const [job, next] = scene.jobs(2);
      await scene.engine.enqueue([job, next]);
      const held = scene.hold({ concurrency: 1, outliveOutcome: true });
      const run = await held.started(1);
      await scene.engine.cancel([job]);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.tell(completed());
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.end();
      expect((await held.started(2)).job.id).toBe(next.id);
    });

    it('holds up the stop of its worker until the run ends', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      await scene.engine.cancel([job]);
      let hasStopped = false;
      const stopped = held.worker.stop().then(() => (hasStopped = true));
      await scene.roundTrip();
      expect(hasStopped).toBe(false);
      run.tell(completed());
      await stopped;
      expect(await scene.engine.state(job)).toBe('cancelled');
    });
  });

  describe('cancelling what has ended or is unknown', () => {
    it('answers false and changes nothing', async () => {
      const { completed: good, failed: bad, cancelled, expired } = await scene.oneOfEach();
      const jobs = [good, bad, cancelled, expired];
      const before = await scene.engine.find(jobs);
      const counts = await scene.engine.counts('default');
      expect(await scene.engine.cancel(jobs)).toEqual([false, false, false, false]);
      expect(await scene.engine.cancel([{ id: 'nobody' }, { id: 'nobody', queue: 'mail' }])).toEqual([false, false]);
      expect(await scene.engine.find(jobs)).toEqual(before);
      await scene.expectCounts(counts);
    });

    it('leaves nothing that hits a later job of that id', async () => {
      const held = scene.hold();
      for (const address of [{ id: 'future' }, { id: 'future', queue: 'default' }]) {
        expect(await scene.engine.cancel([address])).toEqual([false]);
      }
      const job = await scene.enqueue({ id: 'future' });
      const run = await held.started(1);
      await scene.roundTrip();
      expect(run.aborted).toBeUndefined();
      run.tell(completed('1'));
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('leaves nothing of a job that was forgotten at its end', async () => {
      const held = scene.hold();
      const job = await scene.enqueue({ id: 'again' });
      (await held.started(1)).tell(completed('1', 0));
      await scene.becomes(job, 'unknown');
      expect(await scene.engine.cancel([job])).toEqual([false]);
      await scene.enqueue({ id: 'again' });
      const run = await held.started(2);
      await scene.roundTrip();
      expect(run.aborted).toBeUndefined();
      expect(await scene.engine.state(job)).toBe('active');
    });
  });

  describe('cancelling several jobs', () => {
    it('answers for each in its place, and for one named twice once', async () => {
      const { completed: ended, active, waiting, delayed } = await scene.oneOfEach();
      const mail = await scene.enqueue({ queue: 'mail' });
      const jobs = [waiting, ended, { id: 'nobody' }, { id: mail.id }, active, waiting, delayed];
      expect(await scene.engine.cancel(jobs)).toEqual([true, false, false, true, true, false, true]);
      await scene.expectCounts({ completed: 1, failed: 1, cancelled: 4, expired: 1 });
      await scene.expectCounts({ cancelled: 1 }, 'mail');
    });

    it('answers nothing to an empty list', async () => {
      expect(await scene.engine.cancel([])).toEqual([]);
    });

    it('answers true to one of many callers', async () => {
      const job = await scene.enqueue();
      const answers = await Promise.all(Array.from({ length: 20 }, () => scene.engine.cancel([job])));
      expect(answers.flat().filter(Boolean)).toHaveLength(1);
      await scene.expectCounts({ cancelled: 1 });
    });

    it('is refused by a closed engine', async () => {
      const job = await scene.enqueue();
      await scene.engine.close();
      await expect(scene.engine.cancel([job])).rejects.toThrow(EngineUnavailableError);
    });
  });

  describe('cancelling while workers take the jobs', () => {
    it('comes before the end or after it, and what it says is true', async () => {
      const jobs = scene.jobs(150);
      await scene.engine.enqueue(jobs);
      const settlements = jobs.map((job) => scene.settlement(job));
      const started: string[] = [];
      for (const worker of ['a', 'b']) {
        const start = ({ id }: { id: string }) => {
          started.push(id);
          return running(turn().then(() => completed('1')));
        };
        scene.work(start, { concurrency: 2, worker });
      }
      const wasCancelled = new Map<string, boolean>();
      for (let index = 0; index < jobs.length; index++) {
        const job = jobs[(index * 41) % jobs.length];
        const [answer] = await scene.engine.cancel([job]);
        wasCancelled.set(job.id, answer);
        await turn();
      }
      const cancelled = [...wasCancelled.values()].filter(Boolean).length;
      for (const [index, job] of jobs.entries()) {
        const state = wasCancelled.get(job.id) ? 'cancelled' : 'completed';
        expect((await settlements[index]).state).toBe(state);
        const record = await scene.known(job);
        expect(record.state).toBe(state);
        expect(record.runs.map(({ outcome }) => outcome)).toEqual(record.runs.length > 0 ? [state] : []);
        if (record.runs.length === 0) expect(started).not.toContain(job.id);
      }
      expect(new Set(started).size).toBe(started.length);
      await scene.expectCounts({ cancelled, completed: jobs.length - cancelled });
    });
  });
}
