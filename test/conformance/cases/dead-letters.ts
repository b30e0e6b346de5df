import { describe, expect, it } from 'vitest';
import { EngineUnavailableError } from '../../../lib/contracts/errors.js';
import { tagged, unique } from '../rules.js';
import { address, boom, completed, failed, idsOf, KEEP, retry, type Scene } from '../scene.js';

const STOPPED = ['failed', 'cancelled', 'expired'] as const;
const OTHERS = ['waiting', 'delayed', 'active', 'completed'] as const;

export function deadLetterCases(scene: Scene): void {
  describe.each(STOPPED)('retrying a job that is %s', (state) => {
    it('lets it wait, with all its attempts and its earlier runs, and it runs once', async () => {
      const fields = { args: '["Zoë"]', metadata: { tenant: 'acme' } };
      const job = await scene.jobIn(state, { ...fields, rules: tagged('ada') });
      const before = await scene.known(job);
      expect(await scene.engine.retry([job])).toEqual([true]);
      const record = await scene.known(job);
      expect(record).toMatchObject({ ...fields, state: 'waiting', attemptsMade: 0, crashes: 0, runs: before.runs });
      expect(record.rules).toEqual(tagged('ada'));
      for (const field of ['finishedAt', 'error', 'result', 'waitingFor', 'dueAt'] as const) {
        expect(record[field]).toBeUndefined();
      }
      await scene.expectCounts({ waiting: 1 });
      const settlement = scene.settlement(job);
      const { started } = scene.answer([completed('"again"')]);
      expect(await settlement).toEqual({ state: 'completed', result: '"again"' });
      await scene.roundTrip();
      expect(started).toMatchObject([{ id: job.id, attemptsMade: 0, crashes: 0, runs: before.runs }]);
      expect((await scene.known(job)).runs).toHaveLength(before.runs.length + 1);
      await scene.expectCounts({ completed: 1 });
    });

    it('answers true to one of many callers', async () => {
      const job = await scene.jobIn(state);
      const answers = await Promise.all(Array.from({ length: 10 }, () => scene.engine.retry([job])));
      expect(answers.flat().filter(Boolean)).toHaveLength(1);
      await scene.expectCounts({ waiting: 1 });
    });

    it('takes its unique key again', async () => {
      const job = await scene.jobIn(state, { rules: unique() });
      expect(await scene.engine.retry([job])).toEqual([true]);
      expect(await scene.engine.enqueue([scene.job({ rules: unique() })])).toEqual([
        { id: job.id, deduplicated: true },
      ]);
      await scene.expectCounts({ waiting: 1 });
    });

    it('answers false while another job has its unique key', async () => {
      const job = await scene.jobIn(state, { rules: unique() });
      const other = await scene.enqueue({ rules: unique() });
      expect(await scene.engine.retry([job])).toEqual([false]);
      expect(await scene.engine.state(job)).toBe(state);
      await scene.expectCounts({ waiting: 1, [state]: 1 });
      await scene.engine.remove([other]);
      expect(await scene.engine.retry([job])).toEqual([true]);
    });
  });

  describe('retrying', () => {
    it.each(OTHERS)('answers false for a job that is %s, and changes nothing', async (state) => {
      const job = await scene.jobIn(state);
      const before = await scene.known(job);
      expect(await scene.engine.retry([job])).toEqual([false]);
      expect(await scene.known(job)).toEqual(before);
      await scene.expectCounts({ [state]: 1 });
    });

    it('answers for each of several jobs in its place', async () => {
      const { active, failed, expired } = await scene.oneOfEach();
      const jobs = [failed, { id: 'nobody' }, active, { id: expired.id }];
      expect(await scene.engine.retry(jobs)).toEqual([true, false, false, true]);
      expect(await scene.engine.retry([])).toEqual([]);
    });

    it('runs a job once that was cancelled while it was delayed, and at once', async () => {
      const job = await scene.enqueue({ dueAt: Date.now() + 300 });
      await scene.engine.cancel([job]);
      expect(await scene.engine.retry([job])).toEqual([true]);
      const { started } = scene.answer([completed()]);
      await scene.settlement(job);
      expect(Date.now()).toBeLessThan(job.dueAt!);
      await scene.passed(job.dueAt! + 20);
      await scene.roundTrip();
      expect(started).toHaveLength(1);
    });

    it('runs a job once that was cancelled while it was parked, when there is a place', async () => {
      const { held, holder, parked } = await scene.park(2);
      await scene.engine.cancel([parked[0]]);
      expect(await scene.engine.retry([parked[0]])).toEqual([true]);
      await scene.waitsFor(parked[0], 'concurrency');
      expect(held.runs).toHaveLength(1);
      holder.tell(completed());
      (await held.started(2)).tell(completed());
      (await held.started(3)).tell(completed());
      await scene.roundTrip();
      expect(idsOf(held.runs.map(({ job }) => job)).toSorted()).toEqual(idsOf([holder.job, ...parked]).toSorted());
      await scene.expectCounts({ completed: 3 });
    });

    it('goes on beside the run that was cancelled, whose outcome is dropped', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const old = await held.started(1);
      await scene.engine.cancel([job]);
      expect(await scene.engine.retry([job])).toEqual([true]);
      const settlement = scene.settlement(job);
      old.tell(completed('"old"'));
      const run = await held.started(2);
      await scene.roundTrip();
      expect(await scene.engine.state(job)).toBe('active');
      run.tell(completed('"new"'));
      expect(await settlement).toEqual({ state: 'completed', result: '"new"' });
      expect((await scene.known(job)).runs.map(({ outcome }) => outcome)).toEqual(['cancelled', 'completed']);
      await scene.expectCounts({ completed: 1 });
    });

    it('ends the time for which the job was kept', async () => {
      await scene.keepStopped({ age: 500, count: 10 });
      const held = scene.hold({ concurrency: 1 });
      const bad = await scene.enqueue();
      (await held.started(1)).tell(failed(boom, { age: 500, count: 10 }));
      await scene.becomes(bad, 'failed');
      await held.worker.stop();
      const jobs = [bad, await scene.jobIn('cancelled'), await scene.jobIn('expired')];
      expect(await scene.engine.retry(jobs)).toEqual([true, true, true]);
      await scene.passed(Date.now() + 520);
      await scene.expectCounts({ waiting: 3 });
      for (const job of jobs) expect(await scene.engine.state(job)).toBe('waiting');
    });

    it('takes the job out of those of which a number is kept', async () => {
      const jobs = [await scene.jobIn('failed'), await scene.jobIn('failed')];
      await scene.engine.retry([jobs[0]]);
      const held = scene.hold();
      await held.started(1);
      const third = await scene.enqueue();
      (await held.started(2)).tell(failed(boom, { age: KEEP, count: 2 }));
      await scene.becomes(third, 'failed');
      await scene.expectCounts({ active: 1, failed: 2 });
      expect(await scene.engine.state(jobs[1])).toBe('failed');
    });

    it('is refused by a closed engine, as removing and moving', async () => {
      const job = await scene.jobIn('failed');
      await scene.engine.close();
      await expect(scene.engine.retry([job])).rejects.toThrow(EngineUnavailableError);
      await expect(scene.engine.remove([job])).rejects.toThrow(EngineUnavailableError);
      await expect(scene.engine.move([job], 'mail')).rejects.toThrow(EngineUnavailableError);
    });
  });

  describe('removing', () => {
    it.each(['waiting', 'delayed', 'completed', ...STOPPED] as const)('forgets a job that is %s', async (state) => {
      const job = await scene.jobIn(state);
      await scene.engine.log(address(job), 'line');
      await scene.engine.progress(address(job), '50');
      expect(await scene.engine.remove([job])).toEqual([true]);
      expect(await scene.engine.state(job)).toBe('unknown');
      expect(await scene.find(job)).toBeUndefined();
      await scene.expectCounts({});
      expect(await scene.list()).toEqual([]);
      expect(await scene.engine.remove([job])).toEqual([false]);
      expect(await scene.engine.enqueue([scene.job({ id: job.id })])).toEqual([{ id: job.id, deduplicated: false }]);
      expect(await scene.known(job)).toMatchObject({ state: 'waiting', runs: [], logs: [], attemptsMade: 0 });
      expect((await scene.known(job)).progress).toBeUndefined();
      const { started } = scene.answer([completed()]);
      await scene.settlement(job);
      await scene.roundTrip();
      expect(started).toHaveLength(1);
    });

    it('forgets a parked job, which then never starts', async () => {
      const { held, holder, parked } = await scene.park(1);
      expect(await scene.engine.remove(parked)).toEqual([true]);
      holder.tell(completed());
      await scene.settlement(holder.job);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      await scene.expectCounts({ completed: 1 });
    });

    it('tells whoever watches at once', async () => {
      const jobs = [await scene.enqueue(), await scene.jobIn('delayed')];
      const settlements = jobs.map((job) => scene.settlement(job));
      expect(await scene.engine.remove(jobs)).toEqual([true, true]);
      expect(await Promise.all(settlements)).toEqual([{ state: 'unknown' }, { state: 'unknown' }]);
    });

    it('answers false for a job that runs, and leaves it alone', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      expect(await scene.engine.remove([job])).toEqual([false]);
      await scene.expectCounts({ active: 1 });
      run.tell(completed('1'));
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('answers for each of several jobs in its place, and for one named twice once', async () => {
      const { active, failed, waiting } = await scene.oneOfEach();
      const jobs = [failed, { id: 'nobody' }, active, { id: waiting.id }, failed];
      expect(await scene.engine.remove(jobs)).toEqual([true, false, false, true, false]);
      expect(await scene.engine.remove([])).toEqual([]);
    });

    it('forgets a cancelled job whose run has not ended, which does not bring it back', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      await scene.engine.cancel([job]);
      expect(await scene.engine.remove([job])).toEqual([true]);
      run.tell(retry(0));
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      expect(await scene.engine.state(job)).toBe('unknown');
      await scene.expectCounts({});
    });
  });
}
