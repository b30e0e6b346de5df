import { describe, expect, it } from 'vitest';
import { boom, completed, failed, KEEP, type Scene } from '../scene.js';

export function keepingCases(scene: Scene): void {
  describe('a completed job', () => {
    it('is forgotten at once when nothing is to be kept', async () => {
      const job = await scene.enqueue();
      const { started } = scene.answer([completed('1', 0)]);
      await scene.settlement(job);
      await scene.becomes(job, 'unknown');
      expect(started).toHaveLength(1);
      expect(await scene.find(job)).toBeUndefined();
      expect(await scene.engine.counts('default')).toMatchObject({ completed: 0, active: 0, waiting: 0 });
    });

    it('is unknown when its time is over', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('1', 1_500)]);
      await scene.settlement(job);
      expect(await scene.engine.state(job)).toBe('completed');
      await scene.becomes(job, 'unknown');
      expect(await scene.find(job)).toBeUndefined();
      expect((await scene.engine.counts('default')).completed).toBe(0);
    });

    it('is not kept longer or shorter for its neighbours', async () => {
      const [long, short] = scene.jobs(2);
      await scene.engine.enqueue([long, short]);
      scene.answer([completed('"long"', KEEP), completed('"short"', 100)], { concurrency: 1 });
      await scene.settlement(short);
      await scene.becomes(short, 'unknown');
      expect(await scene.known(long)).toMatchObject({ state: 'completed', result: '"long"' });
    });

    it('frees its id when its time is over', async () => {
      const job = await scene.enqueue({ id: 'again' });
      const { worker } = scene.answer([completed('1', 100)]);
      await scene.settlement(job);
      await worker.stop();
      await scene.becomes(job, 'unknown');
      expect(await scene.engine.enqueue([scene.job({ id: 'again' })])).toEqual([{ id: 'again', deduplicated: false }]);
      expect(await scene.known({ id: 'again' })).toMatchObject({ state: 'waiting', runs: [] });
    });
  });

  describe('a failed job', () => {
    it('is unknown when its age is over', async () => {
      const job = await scene.enqueue();
      scene.answer([failed(boom, { age: 1_500, count: 10 })]);
      await scene.settlement(job);
      expect(await scene.engine.state(job)).toBe('failed');
      await scene.becomes(job, 'unknown');
      expect((await scene.engine.counts('default')).failed).toBe(0);
    });

    it('makes room when there are more than the number to keep, the oldest first', async () => {
      const jobs = scene.jobs(5);
      await scene.engine.enqueue(jobs);
      scene.answer([failed(boom, { age: KEEP, count: 2 })], { concurrency: 1 });
      await scene.settlement(jobs[4]);
      await scene.becomes(jobs[2], 'unknown');
      const states = await Promise.all(jobs.map((job) => scene.engine.state(job)));
      expect(states).toEqual(['unknown', 'unknown', 'unknown', 'failed', 'failed']);
      expect((await scene.engine.counts('default')).failed).toBe(2);
    });

    it('stays when jobs of another task, of which fewer are kept, fail', async () => {
      const jobs = scene.jobs(2);
      const others = scene.jobs(3, { task: 'Other.task' });
      await scene.engine.enqueue([...jobs, ...others]);
      const keep = (count: number) => failed(boom, { age: KEEP, count });
      scene.answer([keep(100), keep(100), keep(1)], { concurrency: 1 });
      await scene.settlement(others[2]);
      await scene.becomes(others[1], 'unknown');
      const states = await Promise.all(jobs.map((job) => scene.engine.state(job)));
      expect(states).toEqual(['failed', 'failed']);
      expect((await scene.engine.counts('default')).failed).toBe(3);
    });

    it('is forgotten at once when its age is 0', async () => {
      const job = await scene.enqueue();
      scene.answer([failed(boom, { age: 0, count: 10 })]);
      await scene.settlement(job);
      await scene.becomes(job, 'unknown');
      expect((await scene.engine.counts('default')).failed).toBe(0);
    });

    it('is forgotten at once when the number to keep is 0', async () => {
      const job = await scene.enqueue();
      scene.answer([failed(boom, { age: KEEP, count: 0 })]);
      await scene.settlement(job);
      await scene.becomes(job, 'unknown');
      expect((await scene.engine.counts('default')).failed).toBe(0);
    });

    it('does not count the failed jobs of another queue', async () => {
      const here = await scene.enqueue();
      const there = await scene.enqueue({ queue: 'mail' });
      const outcome = failed(boom, { age: KEEP, count: 1 });
      scene.answer([outcome]);
      scene.answer([outcome], { queue: 'mail' });
      await Promise.all([scene.settlement(here), scene.settlement(there)]);
      expect(await scene.engine.state(here)).toBe('failed');
      expect(await scene.engine.state(there)).toBe('failed');
    });
  });
}
