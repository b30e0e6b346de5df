import { describe, expect, it } from 'vitest';
import type { JobRules } from '../../../lib/contracts/job.js';
import { DuplicateJobError } from '../../../lib/contracts/errors.js';
import { eventually } from '../../support/eventually.js';
import { boom, completed, declined, idsOf, KEEP, retry, type Scene } from '../scene.js';

const unique = (onConflict: 'return' | 'reject' | 'replace', key = 'k'): JobRules => ({
  unique: { key, until: 'finished', onConflict },
});

/** Where two features meet: each of these went wrong once. */
export function entangledCases(scene: Scene): void {
  describe('a job that was to replace a running one, and ends before it starts', () => {
    it.each(['cancel', 'remove', 'expire'] as const)('leaves the key to the running one, by %s', async (how) => {
      const first = await scene.enqueue({ rules: unique('return') });
      const held = scene.hold({ concurrency: 5 });
      const run = await held.started(1);
      const rules = { ...unique('replace'), ...(how === 'expire' && { expiresAt: Date.now() + 150 }) };
      const second = await scene.enqueue({ rules });
      await scene.roundTrip();
      if (how === 'cancel') expect(await scene.engine.cancel([second])).toEqual([true]);
      if (how === 'remove') expect(await scene.engine.remove([second])).toEqual([true]);
      if (how === 'expire') await scene.becomes(second, 'expired');
      const [third] = await scene.engine.enqueue([scene.job({ rules: unique('return') })]);
      expect(third).toEqual({ id: first.id, deduplicated: true });
      const fourth = await scene.enqueue({ rules: unique('replace') });
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.tell(completed());
      expect((await held.started(2)).job.id).toBe(fourth.id);
    });
  });

  describe('ids that are used again, each replacing the other', () => {
    it('never wait for themselves', async () => {
      const x = await scene.enqueue({ id: 'x', rules: unique('return') });
      const held = scene.hold({ concurrency: 5 });
      const run = await held.started(1);
      await scene.enqueue({ id: 'y', rules: unique('replace'), dueAt: Date.now() + KEEP });
      run.tell(completed('1', 0));
      await scene.becomes(x, 'unknown');
      await scene.enqueue({ id: 'x', rules: unique('replace') });
      const again = await held.started(2);
      expect(again.job.id).toBe('x');
      expect(await scene.engine.state({ id: 'y', queue: 'default' })).toBe('cancelled');
    });

    it('wait for no job that came after them, when they are tried again', async () => {
      const a = await scene.enqueue({ id: 'a', rules: unique('return') });
      const held = scene.hold({ concurrency: 5 });
      const first = await held.started(1);
      await scene.enqueue({ id: 'b', rules: unique('replace') });
      first.tell(completed('1', 0));
      await scene.becomes(a, 'unknown');
      const second = await held.started(2);
      await scene.enqueue({ id: 'a', rules: unique('replace') });
      second.tell(retry());
      const third = await held.started(3);
      expect(third.job.id).toBe('b');
      third.tell(completed());
      expect((await held.started(4)).job.id).toBe('a');
    });
  });

  describe('a call that must be the only one, among calls of the same key', () => {
    it.each(['return', 'replace'] as const)(
      'is refused with all of them, where an earlier one says %s',
      async (earlier) => {
        const jobs = [scene.job({ rules: unique(earlier) }), scene.job({ rules: unique('reject') })];
        await expect(scene.engine.enqueue(jobs)).rejects.toThrow(DuplicateJobError);
        expect(await scene.engine.counts('default')).toMatchObject({ waiting: 0 });
      },
    );
  });

  describe('a job that is moved to another queue and back', () => {
    it('stands there once, runs once, and waits out its backoff', async () => {
      await scene.engine.pause('default', 'cluster');
      const job = await scene.enqueue();
      expect(await scene.engine.move([job], 'mail')).toEqual([true]);
      expect(await scene.engine.move([{ id: job.id, queue: 'mail' }], 'default')).toEqual([true]);
      await scene.expectCounts({ waiting: 1 });
      await scene.engine.resume('default', 'cluster');
      const { started } = scene.answer([retry(700), completed()]);
      const since = Date.now();
      await eventually(() => expect(started).toHaveLength(2));
      expect(Date.now() - since).toBeGreaterThanOrEqual(650);
      await scene.becomes(job, 'completed');
      await scene.expectCounts({ completed: 1 });
    });
  });

  describe('a job that is cancelled while it waits, and retried', () => {
    it('goes last in its line, as often as that happens', async () => {
      await scene.engine.pause('default', 'cluster');
      const [a, b, c] = scene.jobs(3);
      await scene.engine.enqueue([a, b, c]);
      for (let round = 0; round < 3; round++) {
        await scene.engine.cancel([a]);
        expect(await scene.engine.retry([a])).toEqual([true]);
      }
      await scene.expectCounts({ waiting: 3 });
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await scene.engine.resume('default', 'cluster');
      await eventually(() => expect(idsOf(started)).toEqual(idsOf([b, c, a])));
      await scene.expectCounts({ completed: 3 });
    });
  });

  describe('a rate that is shared, and a concurrency that is not', () => {
    it('starts others while a job waits for its slot', async () => {
      const rate = { key: 'all', max: 2, per: 150 };
      const of = (customer: string): JobRules => ({ rate, concurrency: { key: customer, max: 1 } });
      const held = scene.hold({ concurrency: 10 });
      const slow = scene.jobs(4, { rules: of('x') });
      await scene.engine.enqueue(slow);
      await held.started(1);
      const quick = await scene.enqueue({ rules: of('y') });
      expect((await held.started(2)).job.id).toBe(quick.id);
    });
  });

  describe('a run that is declined', () => {
    it('gives its start of a rate back', async () => {
      const rules = { rate: { key: 'k', max: 1, per: KEEP } };
      const job = await scene.enqueue({ rules });
      const { started } = scene.answer([declined(), declined(), completed()]);
      await scene.becomes(job, 'completed');
      expect(started).toHaveLength(3);
    });
  });

  describe('a limit that a deploy has lowered', () => {
    it('holds for the jobs that came with it', async () => {
      const at = (max: number): JobRules => ({ concurrency: { key: 'k', max } });
      const held = scene.hold({ concurrency: 10 });
      await scene.engine.enqueue(scene.jobs(2, { rules: at(2) }));
      await held.started(2);
      const later = scene.jobs(3, { rules: at(1) });
      await scene.engine.enqueue(later);
      await scene.roundTrip();
      held.runs[0].tell(completed());
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      held.runs[1].tell(completed());
      expect((await held.started(3)).job.id).toBe(later[0].id);
    });
  });

  describe('a job that is watched past the instant of its expiry while it runs', () => {
    it('is told of once it is put back, and read no more often than others until then', async () => {
      const job = await scene.enqueue({ rules: { expiresAt: Date.now() + 150 } });
      const held = scene.hold();
      const run = await held.started(1);
      const settlement = scene.settlement(job);
      await scene.passed(Date.now() + 250);
      run.tell(retry(KEEP, boom));
      expect(await settlement).toEqual({ state: 'expired' });
      expect((await scene.known(job)).attemptsMade).toBe(1);
    });
  });
}
