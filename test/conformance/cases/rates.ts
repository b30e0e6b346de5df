import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import { eventually } from '../../support/eventually.js';
import { atMost, paced } from '../rules.js';
import { completed, idsOf, KEEP, retry, running, type Scene } from '../scene.js';

/** Clocks may differ by so many milliseconds from one look to the next. */
const TOLERANCE = 5;

/** The most starts in any sliding window, whose length is in milliseconds. */
function mostIn(window: number, starts: readonly number[]): number {
  const length = window - TOLERANCE;
  return Math.max(...starts.map((from) => starts.filter((start) => start >= from && start < from + length).length));
}

export function rateCases(scene: Scene): void {
  /** When these jobs were started, run by run, as it is on record. */
  async function startsOf(jobs: readonly NewJob[]): Promise<number[]> {
    const records = await scene.engine.find(jobs);
    return records.flatMap((record) => record!.runs.map(({ startedAt }) => startedAt)).toSorted((a, b) => a - b);
  }

  describe('a limit of starts in a time', () => {
    it('lets the jobs above it wait, which use no attempt and leave no run', async () => {
      const jobs = scene.jobs(4, { rules: paced(2, KEEP) });
      await scene.engine.enqueue(jobs);
      const { started } = scene.answer([completed()]);
      await Promise.all(jobs.slice(0, 2).map((job) => scene.settlement(job)));
      for (const job of jobs.slice(2)) await scene.waitsFor(job, 'rate');
      await scene.roundTrip();
      expect(idsOf(started)).toEqual(idsOf(jobs.slice(0, 2)));
      expect(await scene.known(jobs[2])).toMatchObject({ runs: [], attemptsMade: 0, rules: paced(2, KEEP) });
      await scene.expectCounts({ completed: 2, waiting: 2 });
    });

    it('is of one key and of one queue, and holds up no other job', async () => {
      const jobs = scene.jobs(50, { rules: paced(1, KEEP) });
      await scene.engine.enqueue(jobs);
      scene.answer([completed()], { concurrency: 2 });
      scene.answer([completed()], { queue: 'mail' });
      await scene.waitsFor(jobs[49], 'rate');
      const others = [
        await scene.enqueue(),
        await scene.enqueue({ rules: paced(1, KEEP, 'Mail.send:bob') }),
        await scene.enqueue({ queue: 'mail', rules: paced(1, KEEP) }),
      ];
      for (const job of others) expect((await scene.settlement(job)).state).toBe('completed');
      await scene.expectCounts({ completed: 3, waiting: 49 });
    });

    it('lets them start one after the other, in their order, as soon as they may', async () => {
      const jobs = scene.jobs(4, { rules: paced(1, 200) });
      const { started } = scene.answer([completed()]);
      await scene.engine.enqueue(jobs.slice(0, 3));
      await scene.waitsFor(jobs[2], 'rate');
      await scene.engine.enqueue(jobs.slice(3));
      await scene.settlement(jobs[3]);
      expect(idsOf(started)).toEqual(idsOf(jobs));
      const starts = await startsOf(jobs);
      expect(mostIn(200, starts)).toBe(1);
      expect(starts[3] - starts[0]).toBeLessThan(600 + 500);
    });

    it('holds for 20 jobs at two workers, 5 in any 300 ms', async () => {
      const jobs = scene.jobs(20, { rules: paced(5, 300) });
      const seen = new Map<string, number>();
      const start = ({ id }: { id: string }) => {
        seen.set(id, Date.now());
        return running(Promise.resolve(completed()));
      };
      for (const worker of ['a', 'b']) scene.work(start, { concurrency: 20, worker });
      for (let index = 0; index < 20; index += 4) await scene.engine.enqueue(jobs.slice(index, index + 4));
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      const starts = await startsOf(jobs);
      expect(starts).toHaveLength(20);
      expect(mostIn(300, starts)).toBe(5);
      expect(starts[19] - starts[0]).toBeLessThan(900 + 1_000);
      for (const record of await scene.engine.find(jobs)) {
        expect(seen.get(record!.id)).toBeGreaterThanOrEqual(record!.startedAt! - TOLERANCE);
      }
      await scene.expectCounts({ completed: 20 });
    });

    it('counts retries', async () => {
      const jobs = scene.jobs(2, { rules: paced(2, 250) });
      await scene.engine.enqueue(jobs);
      scene.answer([retry(0), retry(0), retry(0), completed()]);
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      const starts = await startsOf(jobs);
      expect(starts).toHaveLength(5);
      expect(mostIn(250, starts)).toBe(2);
    });

    it('counts the starts of jobs that are not known any more', async () => {
      const jobs = scene.jobs(2, { rules: paced(1, 300) });
      await scene.engine.enqueue(jobs);
      const seen: number[] = [];
      scene.work(() => {
        seen.push(Date.now());
        return running(Promise.resolve(completed('1', 0)));
      });
      await eventually(() => expect(seen).toHaveLength(2));
      // The observer may have been late at the first start.
      expect(seen[1] - seen[0]).toBeGreaterThan(200);
    });

    it('holds when the planned starts pass during a pause', async () => {
      const jobs = scene.jobs(4, { rules: paced(1, 150) });
      await scene.engine.enqueue(jobs);
      const { started } = scene.answer([completed()]);
      await scene.settlement(jobs[0]);
      await scene.waitsFor(jobs[3], 'rate');
      await scene.engine.pause('default', 'cluster');
      const [first] = await startsOf(jobs.slice(0, 1));
      for (const job of jobs.slice(2)) expect((await scene.known(job)).waitingFor).toBe('pause');
      await scene.passed(first + 500);
      await scene.roundTrip();
      expect(started.length).toBeLessThanOrEqual(2);
      await scene.engine.resume('default', 'cluster');
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      expect(mostIn(150, await startsOf(jobs))).toBe(1);
    });

    it('holds when the planned starts pass while every place is taken', async () => {
      const jobs = scene.jobs(4, { rules: paced(1, 150) });
      const held = scene.hold({ concurrency: 4 });
      await scene.engine.enqueue(jobs);
      const run = await held.started(1);
      await scene.waitsFor(jobs[3], 'rate');
      await scene.engine.enqueue(scene.jobs(3));
      await held.started(4);
      const [first] = await startsOf([jobs[0]]);
      await scene.passed(first + 500);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(4);
      for (const busy of [run, ...held.runs.slice(1)]) busy.tell(completed());
      await held.started(7);
      expect(mostIn(150, await startsOf(jobs))).toBe(1);
    });

    it.each(['cancel', 'remove'] as const)('lets the others go on after a %s of one that waits', async (how) => {
      const jobs = scene.jobs(4, { rules: paced(1, 150) });
      await scene.engine.enqueue(jobs);
      const { started } = scene.answer([completed()]);
      await scene.settlement(jobs[0]);
      await scene.waitsFor(jobs[3], 'rate');
      expect(await scene.engine[how]([jobs[2]])).toEqual([true]);
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      const left = jobs.filter((job) => job !== jobs[2]);
      expect(idsOf(started)).toEqual(idsOf(left));
      const starts = await startsOf(left);
      expect(mostIn(150, starts)).toBe(1);
      expect(starts[2] - starts[0]).toBeLessThan(450 + 500);
    });
  });

  describe('a limit of starts together with one of concurrency', () => {
    it('takes no place while it waits for its start', async () => {
      const both = { ...atMost(1, 'place'), ...paced(1, KEEP, 'pace') };
      const [first, second] = scene.jobs(2, { rules: both });
      await scene.engine.enqueue([first, second]);
      scene.answer([completed()]);
      await scene.settlement(first);
      await scene.waitsFor(second, 'rate');
      const other = await scene.enqueue({ rules: atMost(1, 'place') });
      expect((await scene.settlement(other)).state).toBe('completed');
      expect((await scene.known(second)).waitingFor).toBe('rate');
    });

    it('starts when both let it', async () => {
      const jobs = scene.jobs(3, { rules: { ...atMost(1, 'place'), ...paced(1, 150, 'pace') } });
      await scene.engine.enqueue(jobs);
      const held = scene.hold();
      const order: string[] = [];
      for (let index = 0; index < 3; index++) {
        const run = await held.started(index + 1);
        order.push(run.job.id);
        await scene.passed(Date.now() + (index === 0 ? 200 : 0));
        expect(held.runs).toHaveLength(index + 1);
        run.tell(completed());
      }
      expect(order).toEqual(idsOf(jobs));
      await scene.settlement(jobs[2]);
      expect(mostIn(150, await startsOf(jobs))).toBe(1);
      await scene.expectCounts({ completed: 3 });
    });
  });
}
