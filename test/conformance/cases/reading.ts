import { describe, expect, it } from 'vitest';
import { completed, failed, idsOf, type Scene } from '../scene.js';

const NO_JOBS = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, expired: 0 };

export function readingCases(scene: Scene): void {
  describe('find', () => {
    it('answers undefined for an id that nobody knows', async () => {
      expect(await scene.engine.find([{ id: 'nobody', queue: 'default' }, { id: 'nobody' }])).toEqual([
        undefined,
        undefined,
      ]);
    });

    it('answers nothing to an empty list', async () => {
      expect(await scene.engine.find([])).toEqual([]);
    });

    it('answers several jobs in the order of the question', async () => {
      const [a, b, c] = [await scene.enqueue(), await scene.enqueue({ queue: 'mail' }), await scene.enqueue()];
      const found = await scene.engine.find([
        { id: c.id, queue: 'default' },
        { id: 'nobody', queue: 'mail' },
        { id: b.id, queue: 'mail' },
        { id: a.id, queue: 'default' },
      ]);
      expect(found.map((job) => job?.id)).toEqual([c.id, undefined, b.id, a.id]);
    });

    it('looks in every declared queue when the question names none', async () => {
      const inDefault = await scene.enqueue();
      const inMail = await scene.enqueue({ queue: 'mail' });
      const found = await scene.engine.find([{ id: inMail.id }, { id: inDefault.id }]);
      expect(found.map((job) => job?.queue)).toEqual(['mail', 'default']);
    });

    it('does not look in other queues than the one of the question', async () => {
      const job = await scene.enqueue({ queue: 'mail' });
      expect(await scene.find({ id: job.id, queue: 'default' })).toBeUndefined();
      expect(await scene.engine.state({ id: job.id, queue: 'default' })).toBe('unknown');
    });

    it('answers a picture of that instant, which does not change later', async () => {
      const job = await scene.enqueue();
      const run = await scene.hold().started(1);
      const before = await scene.known(job);
      run.tell(completed('1'));
      await scene.settlement(job);
      expect(before.state).toBe('active');
      expect(before.runs[0].outcome).toBeUndefined();
    });

    it('answers for a thousand jobs at once', async () => {
      const jobs = scene.jobs(1_000);
      await scene.engine.enqueue(jobs);
      const found = await scene.engine.find(jobs.map(({ id, queue }) => ({ id, queue })));
      expect(found.map((job) => job?.id)).toEqual(idsOf(jobs));
    });
  });

  describe('state', () => {
    it('is unknown for an id that nobody knows', async () => {
      expect(await scene.engine.state({ id: 'nobody', queue: 'default' })).toBe('unknown');
      expect(await scene.engine.state({ id: 'nobody' })).toBe('unknown');
    });

    it('is waiting before a worker takes the job', async () => {
      expect(await scene.engine.state(await scene.enqueue())).toBe('waiting');
    });

    it('is delayed until the job is due', async () => {
      expect(await scene.engine.state(await scene.enqueue({ dueAt: Date.now() + 60_000 }))).toBe('delayed');
    });

    it('is active while the job runs', async () => {
      const job = await scene.enqueue();
      await scene.hold().started(1);
      expect(await scene.engine.state(job)).toBe('active');
    });

    it('is completed or failed after the end, as find says', async () => {
      const [good, bad] = scene.jobs(2);
      await scene.engine.enqueue([good, bad]);
      scene.answer([completed(), failed()], { concurrency: 1 });
      await scene.settlement(bad);
      expect(await scene.engine.state(good)).toBe('completed');
      expect(await scene.engine.state(bad)).toBe('failed');
      expect((await scene.known(good)).state).toBe('completed');
      expect((await scene.known(bad)).state).toBe('failed');
    });

    it('is found in every declared queue when the question names none', async () => {
      const job = await scene.enqueue({ queue: 'mail', dueAt: Date.now() + 60_000 });
      expect(await scene.engine.state({ id: job.id })).toBe('delayed');
    });
  });

  describe('counts', () => {
    it('are all zero in a new queue', async () => {
      expect(await scene.engine.counts('default')).toEqual(NO_JOBS);
    });

    it('tell the jobs of each state', async () => {
      const jobs = scene.jobs(3);
      await scene.engine.enqueue(jobs);
      const { worker } = scene.answer([completed(), completed(), failed()], { concurrency: 1 });
      await scene.settlement(jobs[2]);
      await worker.stop();
      await scene.engine.enqueue(scene.jobs(6));
      await scene.hold({ concurrency: 2 }).started(2);
      await scene.engine.enqueue(scene.jobs(3, { dueAt: Date.now() + 60_000 }));
      expect(await scene.engine.counts('default')).toEqual({
        ...NO_JOBS,
        waiting: 4,
        delayed: 3,
        active: 2,
        completed: 2,
        failed: 1,
      });
    });

    it('are of one queue only', async () => {
      await scene.engine.enqueue(scene.jobs(3, { queue: 'mail' }));
      expect(await scene.engine.counts('default')).toEqual(NO_JOBS);
      expect(await scene.engine.counts('mail')).toEqual({ ...NO_JOBS, waiting: 3 });
    });
  });
}
