import { setTimeout as runFor } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import type { Outcome } from '../../../lib/contracts/outcome.js';
import { unique } from '../rules.js';
import { completed, failed, KEEP, retry, running, snooze, type Scene } from '../scene.js';

export function replaceCases(scene: Scene): void {
  const rules = unique('finished', 'replace');

  /** Enqueues a job that takes the key, whoever has it. */
  async function replace(fields: Partial<NewJob> = {}): Promise<NewJob> {
    const job = scene.job({ rules, ...fields });
    expect(await scene.engine.enqueue([job])).toEqual([{ id: job.id, deduplicated: false }]);
    return job;
  }

  describe('a job that takes the place of another that has not started', () => {
    it.each(['waiting', 'delayed'] as const)('cancels the %s one, and has the key', async (state) => {
      const holder = await scene.jobIn(state, { rules: unique() });
      const settlement = scene.settlement(holder);
      const job = await replace();
      expect(await settlement).toEqual({ state: 'cancelled' });
      expect((await scene.known(holder)).finishedAt).toEqual(expect.any(Number));
      await scene.expectCounts({ waiting: 1, cancelled: 1 });
      expect((await scene.known(job)).waitingFor).toBeUndefined();
      const [other] = await scene.engine.enqueue([scene.job({ rules: unique() })]);
      expect(other).toEqual({ id: job.id, deduplicated: true });
      const { started } = scene.answer([completed()]);
      await scene.settlement(job);
      await scene.roundTrip();
      expect(started.map(({ id }) => id)).toEqual([job.id]);
    });

    it('cancels a parked one', async () => {
      const { parked, holder, held } = await scene.park(1, { rules });
      const job = await replace({ rules: { ...parked[0].rules } });
      expect(await scene.engine.state(parked[0])).toBe('cancelled');
      holder.tell(completed());
      expect((await held.started(2)).job.id).toBe(job.id);
    });

    it('is the last of the jobs of one call', async () => {
      const jobs = scene.jobs(3, { rules });
      expect((await scene.engine.enqueue(jobs)).map(({ deduplicated }) => deduplicated)).toEqual([false, false, false]);
      const states = await Promise.all(jobs.map((job) => scene.engine.state(job)));
      expect(states).toEqual(['cancelled', 'cancelled', 'waiting']);
      await scene.expectCounts({ waiting: 1, cancelled: 2 });
    });

    it('is the last of many that come at the same time', async () => {
      const jobs = scene.jobs(50, { rules });
      await Promise.all(jobs.map((job) => scene.engine.enqueue([job])));
      await scene.expectCounts({ waiting: 1, cancelled: 49 });
      const { started } = scene.answer([completed()]);
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      expect(started).toHaveLength(1);
    });
  });

  describe('a job that takes the place of another that runs', () => {
    it('waits until that has ended, and holds up no other job', async () => {
      const holder = await scene.enqueue({ rules });
      const held = scene.hold();
      const run = await held.started(1);
      const job = await replace();
      const other = await scene.enqueue();
      expect((await held.started(2)).job.id).toBe(other.id);
      await scene.waitsFor(job, 'concurrency');
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      expect(run.aborted).toBeUndefined();
      expect(await scene.engine.state(holder)).toBe('active');
      expect(await scene.known(job)).toMatchObject({ runs: [], attemptsMade: 0 });
      await scene.expectCounts({ waiting: 1, active: 2 });
      run.tell(completed('1'));
      expect((await held.started(3)).job.id).toBe(job.id);
      expect(await scene.settlement(holder)).toEqual({ state: 'completed', result: '1' });
    });

    it('has the key', async () => {
      await scene.jobIn('active', { rules });
      const job = await replace();
      const [other] = await scene.engine.enqueue([scene.job({ rules: unique() })]);
      expect(other).toEqual({ id: job.id, deduplicated: true });
    });

    it.each<[string, Outcome]>([
      ['failed', failed()],
      ['completed and forgotten', completed('1', 0)],
    ])('starts when that is %s', async (_how, outcome) => {
      await scene.enqueue({ rules });
      const held = scene.hold();
      const run = await held.started(1);
      const job = await replace();
      await scene.waitsFor(job, 'concurrency');
      run.tell(outcome);
      expect((await held.started(2)).job.id).toBe(job.id);
    });

    it('starts when that was cancelled and its run has ended', async () => {
      const holder = await scene.enqueue({ rules });
      const held = scene.hold();
      const run = await held.started(1);
      const job = await replace();
      await scene.engine.cancel([holder]);
      run.tell(completed());
      expect((await held.started(2)).job.id).toBe(job.id);
    });

    it.each([
      ['retry', retry(150)],
      ['retry at once', retry(0)],
      ['snooze', snooze(150)],
    ])('goes on waiting through its %s', async (_type, outcome) => {
      const holder = await scene.enqueue({ rules });
      const held = scene.hold();
      const run = await held.started(1);
      const job = await replace();
      run.tell(outcome);
      const again = await held.started(2);
      expect(again.job.id).toBe(holder.id);
      await scene.waitsFor(job, 'concurrency');
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      again.tell(completed());
      expect((await held.started(3)).job.id).toBe(job.id);
    });

    it('waits also when it comes while that waits for its retry', async () => {
      const holder = await scene.enqueue({ rules });
      const held = scene.hold();
      (await held.started(1)).tell(retry(KEEP));
      await scene.becomes(holder, 'delayed');
      const job = await replace();
      await scene.waitsFor(job, 'concurrency');
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      expect(await scene.engine.state(holder)).toBe('delayed');
      expect(await scene.engine.cancel([holder])).toEqual([true]);
      expect((await held.started(2)).job.id).toBe(job.id);
    });

    it('is cancelled by the next one, which waits for the same run', async () => {
      await scene.enqueue({ rules });
      const held = scene.hold();
      const run = await held.started(1);
      const second = await replace();
      await scene.waitsFor(second, 'concurrency');
      const third = await replace();
      expect(await scene.settlement(second)).toEqual({ state: 'cancelled' });
      await scene.waitsFor(third, 'concurrency');
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      await scene.expectCounts({ active: 1, waiting: 1, cancelled: 1 });
      run.tell(completed());
      (await held.started(2)).tell(completed());
      await scene.settlement(third);
      expect(held.runs[1].job.id).toBe(third.id);
      await scene.expectCounts({ completed: 2, cancelled: 1 });
    });

    it('starts without a wait when the key was until started', async () => {
      await scene.enqueue({ rules: unique('started') });
      const held = scene.hold();
      await held.started(1);
      const job = await replace({ rules: unique('started', 'replace') });
      expect((await held.started(2)).job.id).toBe(job.id);
    });
  });

  describe('a job that takes the place of another that has ended', () => {
    it('leaves that as it is', async () => {
      const ended = await scene.jobIn('completed', { rules: unique(KEEP) });
      const job = await replace({ rules: unique(KEEP, 'replace') });
      await scene.expectCounts({ completed: 1, waiting: 1 });
      expect(await scene.settlement(ended)).toEqual({ state: 'completed', result: '1' });
      const [other] = await scene.engine.enqueue([scene.job({ rules: unique(KEEP) })]);
      expect(other).toEqual({ id: job.id, deduplicated: true });
      const held = scene.hold();
      expect((await held.started(1)).job.id).toBe(job.id);
    });
  });

  describe('a job that takes a key which is held for a time', () => {
    it('has it for its own time, though that of the former one is over', async () => {
      const former = await scene.jobIn('completed', { rules: unique(400) });
      const job = await replace({ rules: unique(KEEP, 'replace') });
      await scene.passed(former.enqueuedAt + 450);
      const [other] = await scene.engine.enqueue([scene.job({ rules: unique(KEEP) })]);
      expect(other).toEqual({ id: job.id, deduplicated: true });
    });
  });

  describe('jobs that take the place of others while workers take them', () => {
    it('never run beside each other, and each runs once or is cancelled', async () => {
      const jobs = scene.jobs(100, { rules });
      const started: string[] = [];
      let [active, most] = [0, 0];
      const start = ({ id }: { id: string }) => {
        started.push(id);
        most = Math.max(most, ++active);
        return running(
          runFor(3).then(() => {
            active--;
            return completed();
          }),
        );
      };
      for (const worker of ['a', 'b']) scene.work(start, { concurrency: 10, worker });
      for (let index = 0; index < jobs.length; index += 4) {
        await Promise.all(jobs.slice(index, index + 4).map((job) => scene.engine.enqueue([job])));
        if (index % 8 === 0) await runFor(2);
      }
      const settlements = await Promise.all(jobs.map((job) => scene.settlement(job)));
      expect(most).toBe(1);
      expect(new Set(started).size).toBe(started.length);
      for (const [index, { state }] of settlements.entries()) {
        expect(state).toBe(started.includes(jobs[index].id) ? 'completed' : 'cancelled');
      }
      await scene.expectCounts({ completed: started.length, cancelled: 100 - started.length });
    });
  });
}
