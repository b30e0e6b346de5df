import { describe, expect, it } from 'vitest';
import type { ActiveJob, NewJob, Slot } from '../../../lib/contracts/engine.js';
import type { Outcome } from '../../../lib/contracts/outcome.js';
import { completed, running, type Scene } from '../scene.js';

export function slotCases(scene: Scene): void {
  describe('a lent place', () => {
    it('lets a worker of concurrency 1 run a job that its run waits for', async () => {
      const child = scene.job({ task: 'child' });
      const parent = await scene.enqueue({ task: 'parent' });
      runFamily(scene, { parent: [child] });
      expect(await scene.settlement(parent)).toEqual({ state: 'completed', result: '"parent"' });
      expect(await scene.engine.state(child)).toBe('completed');
    });

    it('lets it do so ten levels deep', async () => {
      const levels = Array.from({ length: 10 }, (_, level) => scene.job({ task: `level ${level}` }));
      const waitsFor = Object.fromEntries(levels.slice(1).map((job, level) => [`level ${level}`, [job]]));
      await scene.engine.enqueue([levels[0]]);
      const ended = runFamily(scene, waitsFor);
      await scene.settlement(levels[0]);
      expect(ended).toEqual(levels.map((job) => job.task).toReversed());
    });

    it('lets it wait for several jobs at once', async () => {
      const children = [scene.job({ task: 'a' }), scene.job({ task: 'b' }), scene.job({ task: 'c' })];
      const parent = await scene.enqueue({ task: 'parent' });
      const ended = runFamily(scene, { parent: children });
      await scene.settlement(parent);
      expect(ended).toEqual(['a', 'b', 'c', 'parent']);
    });

    it('is taken back only when a place is free', async () => {
      const [lender, borrower] = scene.jobs(2);
      await scene.engine.enqueue([lender, borrower]);
      const held = scene.hold({ concurrency: 1 });
      const takeBack = (await held.started(1)).slot.lend();
      await held.started(2);
      let isBack = false;
      const back = takeBack().then(() => (isBack = true));
      await scene.roundTrip();
      expect(isBack).toBe(false);
      held.runs[1].tell(completed());
      await back;
      expect(held.worker.active).toBe(1);
    });

    it('goes back to its run before a new job starts', async () => {
      const [lender, borrower, other] = scene.jobs(3);
      await scene.engine.enqueue([lender, borrower, other]);
      const held = scene.hold({ concurrency: 1 });
      const takeBack = (await held.started(1)).slot.lend();
      await held.started(2);
      const back = takeBack();
      held.runs[1].tell(completed());
      await back;
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      held.runs[0].tell(completed());
      expect((await held.started(3)).job.id).toBe(other.id);
    });

    it('is not given back twice when its run ends while it is lent', async () => {
      await scene.engine.enqueue(scene.jobs(3));
      const held = scene.hold({ concurrency: 1 });
      const lender = await held.started(1);
      lender.slot.lend();
      await held.started(2);
      lender.tell(completed());
      await scene.settlement(lender.job);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      held.runs[1].tell(completed());
      await held.started(3);
    });

    it('does not keep the worker from counting the run that lent it', async () => {
      await scene.engine.enqueue(scene.jobs(2));
      const held = scene.hold({ concurrency: 1 });
      (await held.started(1)).slot.lend();
      await held.started(2);
      expect(held.worker.active).toBe(2);
    });
  });
}

/** Runs tasks with concurrency 1, each of which enqueues its children and waits for all of them. Answers who ended when. */
function runFamily(scene: Scene, waitsFor: Readonly<Record<string, readonly NewJob[]>>): string[] {
  const ended: string[] = [];
  const run = async (job: ActiveJob, slot: Slot): Promise<Outcome> => {
    const children = waitsFor[job.task] ?? [];
    if (children.length > 0) await scene.engine.enqueue(children);
    await Promise.all(
      children.map(async (child) => {
        const takeBack = slot.lend();
        await scene.settlement(child);
        await takeBack();
      }),
    );
    ended.push(job.task);
    return completed(JSON.stringify(job.task));
  };
  scene.work((job, slot) => running(run(job, slot)), { concurrency: 1 });
  return ended;
}
