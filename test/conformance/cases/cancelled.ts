import { describe, expect, it } from 'vitest';
import { completed, idsOf, KEEP, type Scene } from '../scene.js';

export function cancelledCases(scene: Scene): void {
  describe('the id of a cancelled job', () => {
    it('is known while the job is kept', async () => {
      const job = await scene.jobIn('cancelled');
      expect(await scene.engine.enqueue([scene.job({ id: job.id })])).toEqual([{ id: job.id, deduplicated: true }]);
      expect(await scene.engine.state(job)).toBe('cancelled');
    });

    it.each(['waiting', 'delayed'] as const)(
      'makes a new job, which runs once and in its turn, when nothing is kept of a %s one',
      async (state) => {
        await scene.keepStopped({ age: 0, count: 0 });
        const old = await scene.jobIn(state, { id: 'again' });
        const settlement = scene.settlement(old);
        await scene.roundTrip();
        const other = await scene.enqueue();
        expect(await scene.engine.cancel([old])).toEqual([true]);
        expect(await settlement).toEqual({ state: 'cancelled' });
        expect(await scene.engine.state(old)).toBe('unknown');
        const job = scene.job({ id: 'again', args: '["new"]' });
        expect(await scene.engine.enqueue([job])).toEqual([{ id: 'again', deduplicated: false }]);
        await scene.expectCounts({ waiting: 2 });
        const { started } = scene.answer([completed('1')], { concurrency: 1 });
        expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
        await scene.settlement(await scene.enqueue());
        expect(idsOf(started.slice(0, 2))).toEqual([other.id, 'again']);
        expect(started).toHaveLength(3);
        expect((await scene.known(job)).args).toBe('["new"]');
      },
    );

    it('makes a new job that the due instant of the old one does not start', async () => {
      await scene.keepStopped({ age: 0, count: 0 });
      const old = await scene.enqueue({ id: 'again', dueAt: Date.now() + 200 });
      await scene.engine.cancel([old]);
      const job = await scene.enqueue({ id: 'again', dueAt: Date.now() + KEEP });
      const { started } = scene.answer([completed()]);
      await scene.passed(old.dueAt! + 20);
      await scene.roundTrip();
      expect(started).toEqual([]);
      expect(await scene.engine.state(job)).toBe('delayed');
      await scene.expectCounts({ delayed: 1 });
    });

    it('makes a new job that the run of the old one does not end', async () => {
      await scene.keepStopped({ age: 0, count: 0 });
      const held = scene.hold();
      const job = await scene.enqueue({ id: 'again' });
      const old = await held.started(1);
      expect(await scene.engine.cancel([job])).toEqual([true]);
      expect(await scene.engine.enqueue([scene.job({ id: 'again' })])).toEqual([{ id: 'again', deduplicated: false }]);
      const settlement = scene.settlement(job);
      old.tell(completed('"old"'));
      const run = await held.started(2);
      await scene.roundTrip();
      expect(await scene.engine.state(job)).toBe('active');
      run.tell(completed('"new"'));
      expect(await settlement).toEqual({ state: 'completed', result: '"new"' });
      await scene.expectCounts({ completed: 1 });
    });
  });

  describe('a cancelled job', () => {
    it('is unknown when its age is over', async () => {
      await scene.keepStopped({ age: 500, count: 10 });
      const job = await scene.jobIn('cancelled');
      expect(await scene.engine.state(job)).toBe('cancelled');
      await scene.becomes(job, 'unknown');
      await scene.expectCounts({});
    });

    it('makes room when there are more than the number to keep, the oldest first, and for cancelled ones only', async () => {
      await scene.keepStopped({ age: KEEP, count: 2 });
      const expired = await scene.jobIn('expired');
      const jobs = [await scene.jobIn('cancelled'), await scene.jobIn('cancelled'), await scene.jobIn('cancelled')];
      await scene.becomes(jobs[0], 'unknown');
      expect(await scene.engine.state(jobs[1])).toBe('cancelled');
      expect(await scene.engine.state(jobs[2])).toBe('cancelled');
      expect(await scene.engine.state(expired)).toBe('expired');
      await scene.expectCounts({ cancelled: 2, expired: 1 });
    });
  });
}
