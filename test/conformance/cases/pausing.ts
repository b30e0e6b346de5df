import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { completed, idsOf, type Scene } from '../scene.js';

export function pauseCases(scene: Scene): void {
  describe.each(['cluster', 'process'] as const)('a queue paused in the %s', (scope) => {
    it('starts no job until it is resumed', async () => {
      await scene.engine.pause('default', scope);
      const job = await scene.enqueue();
      const { started } = scene.answer([completed('1')]);
      await scene.roundTrip();
      expect(started).toEqual([]);
      expect(await scene.engine.state(job)).toBe('waiting');
      await scene.engine.resume('default', scope);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('stops a worker that waits for jobs already', async () => {
      const first = await scene.enqueue();
      const { started } = scene.answer([completed()]);
      await scene.settlement(first);
      await scene.engine.pause('default', scope);
      const second = await scene.enqueue();
      await scene.roundTrip();
      await scene.becomes(second, 'waiting');
      expect(idsOf(started)).toEqual([first.id]);
      await scene.engine.resume('default', scope);
      await scene.settlement(second);
    });

    it('lets running jobs end, and retries wait', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      await scene.engine.pause('default', scope);
      run.tell({ type: 'retry', delay: 0, error: { name: 'Error', message: 'again' } });
      await scene.becomes(job, 'waiting');
      expect((await scene.known(job)).attemptsMade).toBe(1);
      await scene.engine.resume('default', scope);
      await held.started(2);
    });

    it('keeps the order of what was enqueued before and during the pause', async () => {
      const [before, during, after] = scene.jobs(3);
      await scene.engine.enqueue([before]);
      await scene.engine.pause('default', scope);
      await scene.engine.enqueue([during]);
      await scene.engine.resume('default', scope);
      await scene.engine.enqueue([after]);
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await scene.settlement(after);
      expect(idsOf(started)).toEqual(idsOf([before, during, after]));
    });

    it('holds up no other queue', async () => {
      await scene.engine.pause('default', scope);
      const job = await scene.enqueue({ queue: 'mail' });
      scene.answer([completed('1')], { queue: 'mail' });
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('lets a delayed job that is due wait', async () => {
      await scene.engine.pause('default', scope);
      const job = await scene.enqueue({ dueAt: Date.now() + 100 });
      const { started } = scene.answer([completed()]);
      await scene.becomes(job, 'waiting');
      expect(started).toEqual([]);
      await scene.engine.resume('default', scope);
      await scene.settlement(job);
    });

    it('is paused, and not any more once it is resumed', async () => {
      expect(await scene.engine.isPaused('default')).toBe(false);
      await scene.engine.pause('default', scope);
      expect(await scene.engine.isPaused('default')).toBe(true);
      expect(await scene.engine.isPaused('mail')).toBe(false);
      await scene.engine.resume('default', scope);
      expect(await scene.engine.isPaused('default')).toBe(false);
    });

    it('loses nothing by a second pause, a second resume, or a resume without a pause', async () => {
      await scene.engine.resume('default', scope);
      const jobs = scene.jobs(2);
      await scene.engine.enqueue(jobs.slice(0, 1));
      await scene.engine.pause('default', scope);
      await scene.engine.enqueue(jobs.slice(1));
      await scene.engine.pause('default', scope);
      await scene.engine.resume('default', scope);
      await scene.engine.resume('default', scope);
      const { started } = scene.answer([completed()]);
      await eventually(() => expect(started).toHaveLength(2));
    });
  });

  describe('a queue paused in the cluster and in the process', () => {
    it('goes on when both pauses have ended', async () => {
      await scene.engine.pause('default', 'cluster');
      await scene.engine.pause('default', 'process');
      const job = await scene.enqueue();
      const { started } = scene.answer([completed()]);
      await scene.engine.resume('default', 'cluster');
      await scene.roundTrip();
      expect(started).toEqual([]);
      expect(await scene.engine.isPaused('default')).toBe(true);
      await scene.engine.resume('default', 'process');
      await scene.settlement(job);
    });
  });

  describe('a job of a paused queue', () => {
    it('says what it waits for', async () => {
      const job = await scene.enqueue();
      expect((await scene.known(job)).waitingFor).toBeUndefined();
      await scene.engine.pause('default', 'cluster');
      expect((await scene.known(job)).waitingFor).toBe('pause');
      await scene.engine.resume('default', 'cluster');
      expect((await scene.known(job)).waitingFor).toBeUndefined();
    });
  });
}
