import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import type { Priority } from '../../../lib/contracts/job.js';
import { eventually } from '../../support/eventually.js';
import { HIGH, LOW } from '../rules.js';
import { completed, idsOf, retry, shutdown, snooze, type Scene } from '../scene.js';

export function priorityCases(scene: Scene): void {
  /** Jobs of these priorities, in the order in which they are written. */
  const jobsOf = (...priorities: readonly Priority[]): NewJob[] =>
    priorities.map((priority) => scene.job(priority === 'normal' ? {} : { rules: { priority } }));

  describe('priorities', () => {
    it('let all high jobs start before normal ones and these before low ones, each in the order of their coming', async () => {
      const [low, normal, high, low2, normal2, high2] = jobsOf('low', 'normal', 'high', 'low', 'normal', 'high');
      for (const job of [low, normal, high]) await scene.engine.enqueue([job]);
      await scene.engine.enqueue([low2, normal2, high2]);
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await eventually(() => expect(idsOf(started)).toEqual(idsOf([high, high2, normal, normal2, low, low2])));
    });

    it('hold among the jobs of one call, at a worker of concurrency 1 that has nothing to do', async () => {
      const { started } = scene.answer([completed()], { concurrency: 1 });
      for (let round = 1; round <= 5; round++) {
        const [low, normal, high] = jobsOf('low', 'normal', 'high');
        await scene.engine.enqueue([low, normal, high]);
        await Promise.all([low, normal, high].map((job) => scene.settlement(job)));
        expect(idsOf(started.slice(-3))).toEqual(idsOf([high, normal, low]));
        expect(started).toHaveLength(round * 3);
      }
    });

    it('give a free place of a busy worker to the highest job, however many wait longer', async () => {
      await scene.enqueue();
      const held = scene.hold({ concurrency: 1 });
      const first = await held.started(1);
      await scene.engine.enqueue(scene.jobs(1_000));
      const high = await scene.enqueue({ rules: HIGH });
      first.tell(completed());
      expect((await held.started(2)).job.id).toBe(high.id);
    });

    it('hold for all free places of a worker', async () => {
      const [low, normal, high, high2] = jobsOf('low', 'normal', 'high', 'high');
      await scene.engine.enqueue([low, normal, high, high2]);
      const held = scene.hold({ concurrency: 2 });
      await held.started(2);
      await scene.roundTrip();
      expect(idsOf(held.runs.map(({ job }) => job))).toEqual(idsOf([high, high2]));
    });

    it('hold for what a paused queue has gathered', async () => {
      await scene.engine.pause('default', 'cluster');
      const { started } = scene.answer([completed()], { concurrency: 1 });
      const [low, normal, high] = jobsOf('low', 'normal', 'high');
      for (const job of [low, normal, high]) await scene.engine.enqueue([job]);
      await scene.engine.resume('default', 'cluster');
      await eventually(() => expect(idsOf(started)).toEqual(idsOf([high, normal, low])));
    });

    it('count all their jobs as waiting', async () => {
      const jobs = jobsOf('low', 'normal', 'high', 'low');
      await scene.engine.enqueue(jobs);
      await scene.expectCounts({ waiting: 4 });
      for (const job of jobs) expect(await scene.engine.state(job)).toBe('waiting');
    });

    it('are told with the job, and nothing is told of a job without rules', async () => {
      const [high, plain] = [await scene.enqueue({ rules: HIGH }), await scene.enqueue()];
      expect((await scene.known(high)).rules).toEqual(HIGH);
      expect((await scene.known(plain)).rules).toBeUndefined();
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await scene.settlement(plain);
      expect(started.map(({ rules }) => rules)).toEqual([HIGH, undefined]);
    });
  });

  describe('a job that goes back to its queue', () => {
    it.each([
      ['retry', retry(0)],
      ['snooze', snooze(0)],
    ])('by %s waits at the end of its own priority', async (_type, outcome) => {
      const [low, low2, high, high2, normal] = jobsOf('low', 'low', 'high', 'high', 'normal');
      await scene.engine.enqueue([low, low2, high, high2, normal]);
      const held = scene.hold({ concurrency: 1 });
      const order = [high, high2, high, normal, low, low2, low];
      for (let index = 0; index < order.length; index++) {
        const run = await held.started(index + 1);
        expect(run.job.id).toBe(order[index].id);
        const goesBack = [high.id, low.id].includes(run.job.id) && run.job.runs.length === 0;
        run.tell(goesBack ? outcome : completed());
      }
    });

    it('at shutdown waits at the front of its own priority', async () => {
      const [low, low2] = jobsOf('low', 'low');
      await scene.engine.enqueue([low, low2]);
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      const [high, normal] = jobsOf('high', 'normal');
      await scene.engine.enqueue([normal, high]);
      run.tell(shutdown(0));
      const order = [low, high, normal, low, low2];
      for (let index = 1; index < order.length; index++) {
        const next = await held.started(index + 1);
        expect(next.job.id).toBe(order[index].id);
        next.tell(completed());
      }
    });

    it('because its delay is over waits at the end of its own priority', async () => {
      await scene.enqueue();
      const held = scene.hold({ concurrency: 1 });
      const busy = await held.started(1);
      const [low, high] = [LOW, HIGH].map((rules) => scene.job({ rules, dueAt: Date.now() + 100 }));
      const [before, normal] = jobsOf('low', 'normal');
      await scene.engine.enqueue([low, high, before, normal]);
      await scene.becomes(low, 'waiting');
      await scene.becomes(high, 'waiting');
      busy.tell(completed());
      const order = [high, normal, before, low];
      for (let index = 0; index < order.length; index++) {
        const next = await held.started(index + 2);
        expect(next.job.id).toBe(order[index].id);
        next.tell(completed());
      }
    });
  });
}
