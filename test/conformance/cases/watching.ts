import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../lib/contracts/engine.js';
import { boom, completed, failed, retry, snooze, type Scene } from '../scene.js';

export function watchCases(scene: Scene): void {
  describe('watch', () => {
    it('tells the result of a job that ends later', async () => {
      const job = await scene.enqueue();
      const settlement = scene.settlement(job);
      scene.answer([completed('{"sent":true}')]);
      expect(await settlement).toEqual({ state: 'completed', result: '{"sent":true}' });
    });

    it('tells the error of a job that fails later', async () => {
      const job = await scene.enqueue();
      const settlement = scene.settlement(job);
      scene.answer([failed()]);
      expect(await settlement).toEqual({ state: 'failed', error: boom });
    });

    it('tells the result of a job that has ended', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('1')]);
      await scene.becomes(job, 'completed');
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('tells the error of a job that has failed', async () => {
      const job = await scene.enqueue();
      scene.answer([failed()]);
      await scene.becomes(job, 'failed');
      expect(await scene.settlement(job)).toEqual({ state: 'failed', error: boom });
    });

    it('tells that nobody knows an id', async () => {
      expect(await scene.settlement({ id: 'nobody', queue: 'default' })).toEqual({ state: 'unknown' });
      expect(await scene.settlement({ id: 'nobody' })).toEqual({ state: 'unknown' });
    });

    it('tells that an id is unknown before it is enqueued, and does not wait for it', async () => {
      expect(await scene.settlement({ id: 'future', queue: 'default' })).toEqual({ state: 'unknown' });
      const job = await scene.enqueue({ id: 'future' });
      scene.answer([completed('1')]);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
    });

    it('tells that nothing was kept of a job that had ended', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('1', 0)]);
      await scene.becomes(job, 'unknown');
      expect(await scene.settlement(job)).toEqual({ state: 'unknown' });
    });

    it('tells the result of a job of which nothing is kept to whoever watched before its end', async () => {
      const job = await scene.enqueue();
      const settlements = [scene.settlement(job), scene.settlement({ id: job.id })];
      scene.answer([completed('"gone"', 0)]);
      expect(await Promise.all(settlements)).toEqual([
        { state: 'completed', result: '"gone"' },
        { state: 'completed', result: '"gone"' },
      ]);
      await scene.becomes(job, 'unknown');
    });

    it('goes on when an observer throws', async () => {
      const job = await scene.enqueue();
      scene.engine.watch(job, {
        settled: () => {
          throw new Error('This observer throws, as the test wants it.');
        },
      });
      const settlement = scene.settlement(job);
      scene.answer([completed('1')]);
      expect(await settlement).toEqual({ state: 'completed', result: '1' });
      await scene.becomes(job, 'completed');
    });

    it('tells the error of a job of which nothing is kept to whoever watched before its end', async () => {
      const job = await scene.enqueue();
      const settlement = scene.settlement(job);
      scene.answer([failed(boom, { age: 0, count: 0 })]);
      expect(await settlement).toEqual({ state: 'failed', error: boom });
    });

    it('finds a job without being told its queue', async () => {
      const job = await scene.enqueue({ queue: 'mail' });
      const settlement = scene.settlement({ id: job.id });
      scene.answer([completed('"mail"')], { queue: 'mail' });
      expect(await settlement).toEqual({ state: 'completed', result: '"mail"' });
    });

    it('tells apart two jobs of one id in two queues', async () => {
      const inDefault = await scene.enqueue({ id: 'same' });
      const inMail = await scene.enqueue({ id: 'same', queue: 'mail' });
      const settlements = [scene.settlement(inDefault), scene.settlement(inMail)];
      scene.answer([completed('"default"')]);
      scene.answer([completed('"mail"')], { queue: 'mail' });
      expect(await Promise.all(settlements)).toEqual([
        { state: 'completed', result: '"default"' },
        { state: 'completed', result: '"mail"' },
      ]);
    });

    it('is told of the end only, not of the retries before it', async () => {
      const job = await scene.enqueue();
      const settlements: Settlement[] = [];
      scene.engine.watch(job, { settled: (settlement) => settlements.push(settlement) });
      scene.answer([retry(0), snooze(0), retry(50), failed()]);
      await scene.settlement(job);
      expect(settlements).toEqual([{ state: 'failed', error: boom }]);
    });

    it('is told once', async () => {
      const job = await scene.enqueue();
      let told = 0;
      scene.engine.watch(job, { settled: () => told++ });
      scene.answer([completed('1')]);
      await scene.settlement(job);
      await scene.settlement(job);
      await scene.settlement(await scene.enqueue());
      expect(told).toBe(1);
    });

    it('is told within a second of the outcome', async () => {
      const job = await scene.enqueue();
      const settlement = scene.settlement(job);
      const run = await scene.hold().started(1);
      const before = performance.now();
      run.tell(completed('1'));
      await settlement;
      expect(performance.now() - before).toBeLessThan(1_000);
    });

    it('is told within a second about a job that has ended', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('1')]);
      await scene.becomes(job, 'completed');
      const before = performance.now();
      await scene.settlement(job);
      expect(performance.now() - before).toBeLessThan(1_000);
    });

    it('does not tell whoever has ended the watch', async () => {
      const job = await scene.enqueue();
      const told: string[] = [];
      const endWatch = scene.engine.watch(job, { settled: () => told.push('ended') });
      scene.engine.watch(job, { settled: () => told.push('going on') });
      endWatch();
      scene.answer([completed()]);
      await scene.settlement(job);
      expect(told).toEqual(['going on']);
    });

    it('does not tell whoever has ended the watch of a job that had ended', async () => {
      const job = await scene.enqueue();
      scene.answer([completed()]);
      await scene.becomes(job, 'completed');
      let told = 0;
      scene.engine.watch(job, { settled: () => told++ })();
      await scene.settlement(job);
      expect(told).toBe(0);
    });

    it('may be ended twice, and after the end', async () => {
      const job = await scene.enqueue();
      const endWatch = scene.engine.watch(job, { settled: () => undefined });
      endWatch();
      endWatch();
      scene.answer([completed('1')]);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
      expect(() => endWatch()).not.toThrow();
    });
  });

  describe('many watches', () => {
    it('are all told, a thousand on one job and one on each of a thousand jobs, without a warning', async () => {
      const warnings: string[] = [];
      const collect = (warning: Error): void => void warnings.push(warning.name);
      process.on('warning', collect);
      try {
        const jobs = scene.jobs(1_000);
        await scene.engine.enqueue(jobs);
        const ofAll = jobs.map((job) => scene.settlement(job));
        const ofOne = jobs.map(() => scene.settlement(jobs[999]));
        scene.answer([completed('1')], { concurrency: 50 });
        const settlements = await Promise.all([...ofAll, ...ofOne]);
        expect(settlements.every((one) => one.state === 'completed' && one.result === '1')).toBe(true);
        await turn();
        expect(warnings).not.toContain('MaxListenersExceededWarning');
      } finally {
        process.off('warning', collect);
      }
    });
  });
}
