import { setTimeout as runFor } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ActiveJob, NewJob } from '../../../lib/contracts/engine.js';
import type { Outcome } from '../../../lib/contracts/outcome.js';
import { atMost, expiresIn, HIGH, paced, tagged } from '../rules.js';
import { completed, declined, failed, idsOf, KEEP, retry, running, shutdown, snooze, type Scene } from '../scene.js';

export function limitCases(scene: Scene): void {
  describe('a limit of concurrency', () => {
    it('parks the jobs above it, which use no attempt and leave no run', async () => {
      const jobs = scene.jobs(5, { rules: atMost(2) });
      await scene.engine.enqueue(jobs);
      const held = scene.hold();
      await held.started(2);
      for (const job of jobs.slice(2)) await scene.waitsFor(job, 'concurrency');
      await scene.roundTrip();
      expect(idsOf(held.runs.map(({ job }) => job))).toEqual(idsOf(jobs.slice(0, 2)));
      const parked = await scene.known(jobs[2]);
      expect(parked).toMatchObject({ runs: [], attemptsMade: 0, crashes: 0, rules: atMost(2) });
      expect(parked.startedAt).toBeUndefined();
      expect((await scene.known(jobs[0])).waitingFor).toBeUndefined();
      await scene.expectCounts({ active: 2, waiting: 3 });
    });

    it('is of one key and of one queue, and holds up no other job', async () => {
      const { holder } = await scene.park(100);
      scene.hold({ queue: 'mail' });
      const others = [
        scene.job(),
        scene.job({ rules: atMost(1) }),
        scene.job({ queue: 'mail', rules: holder.job.rules }),
      ];
      await scene.engine.enqueue(others);
      for (const job of others) await scene.becomes(job, 'active');
      await scene.expectCounts({ active: 3, waiting: 100 });
    });

    it.each<[string, Outcome]>([
      ['is completed', completed('1')],
      ['is completed and forgotten', completed('1', 0)],
      ['has failed', failed()],
      ['waits for its retry', retry(KEEP)],
      ['is tried again at once', retry(0)],
      ['snoozes', snooze(KEEP)],
      ['snoozes for no time', snooze(0)],
      ['was declined', declined(KEEP)],
      ['goes back at shutdown', shutdown(KEEP)],
    ])('lets the first parked job start when another %s', async (_how, outcome) => {
      const { held, holder, parked } = await scene.park(2);
      holder.tell(outcome);
      expect((await held.started(2)).job.id).toBe(parked[0].id);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      await scene.waitsFor(parked[1], 'concurrency');
      held.runs[1].tell(completed());
      expect((await held.started(3)).job.id).toBe(parked[1].id);
    });

    it('lets a parked job start when another is cancelled and its run has ended', async () => {
      const { held, holder, parked } = await scene.park(2);
      expect(await scene.engine.cancel([holder.job])).toEqual([true]);
      holder.tell(completed());
      expect((await held.started(2)).job.id).toBe(parked[0].id);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
    });

    it('lets parked jobs start before those that have not had their turn, the highest first', async () => {
      const held = scene.hold({ concurrency: 2 });
      await scene.enqueue({ rules: atMost(1) });
      const holder = await held.started(1);
      const [first, second] = scene.jobs(2, { rules: atMost(1) });
      const high = scene.job({ rules: { ...atMost(1), ...HIGH } });
      await scene.engine.enqueue([first]);
      await scene.waitsFor(first, 'concurrency');
      await scene.engine.enqueue([second, high]);
      await scene.waitsFor(second, 'concurrency');
      await scene.waitsFor(high, 'concurrency');
      await scene.engine.enqueue(scene.jobs(2));
      await held.started(2);
      holder.tell(completed());
      const order = [high, first, second];
      for (const [index, job] of order.entries()) {
        const run = await held.started(index + 3);
        expect(run.job.id).toBe(job.id);
        run.tell(completed());
      }
    });

    it('keeps the parked jobs in their order when a higher one comes between the call of the first and its start', async () => {
      const { held, holder, parked } = await scene.park(3);
      await scene.engine.pause('default', 'cluster');
      holder.tell(completed());
      await scene.becomes(holder.job, 'completed');
      const high = await scene.enqueue({ rules: { ...holder.job.rules, ...HIGH } });
      await scene.engine.resume('default', 'cluster');
      const order: string[] = [];
      for (let index = 1; index <= 4; index++) {
        const run = await held.started(index + 1);
        order.push(run.job.id);
        run.tell(completed());
      }
      expect(order.filter((id) => id !== high.id)).toEqual(idsOf(parked));
      // Whether the one that was called has its place already is up to the engine.
      expect(order.slice(0, 2)).toContain(high.id);
    });

    it.each(['cancelled', 'removed', 'expired'] as const)('passes by a parked job that is %s', async (how) => {
      const { held, holder, parked } = await scene.park(1, how === 'expired' ? { rules: expiresIn(400) } : {});
      const next = await scene.enqueue({ rules: holder.job.rules });
      await scene.waitsFor(next, 'concurrency');
      await endWithoutRun(parked[0], how);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      holder.tell(completed());
      expect((await held.started(2)).job.id).toBe(next.id);
    });

    it.each(['cancelled', 'removed', 'expired'] as const)(
      'gives the place of a job that is %s between its call and its start to the next one',
      async (how) => {
        const { held, holder, parked } = await scene.park(1, how === 'expired' ? { rules: expiresIn(400) } : {});
        const next = await scene.enqueue({ rules: holder.job.rules });
        await scene.waitsFor(next, 'concurrency');
        await scene.engine.pause('default', 'cluster');
        holder.tell(completed());
        await scene.becomes(holder.job, 'completed');
        await endWithoutRun(parked[0], how);
        await scene.engine.resume('default', 'cluster');
        expect((await held.started(2)).job.id).toBe(next.id);
      },
    );

    it('waits for the end of a pause, and reads so', async () => {
      const { held, holder, parked } = await scene.park(1);
      await scene.engine.pause('default', 'cluster');
      expect((await scene.known(parked[0])).waitingFor).toBe('pause');
      await scene.engine.resume('default', 'cluster');
      expect((await scene.known(parked[0])).waitingFor).toBe('concurrency');
      await scene.engine.pause('default', 'cluster');
      holder.tell(completed());
      await scene.becomes(holder.job, 'completed');
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      await scene.engine.resume('default', 'cluster');
      await held.started(2);
    });

    it('lets a parked job start at another worker when its own has stopped', async () => {
      const { held, holder, parked } = await scene.park(1);
      const stopped = held.worker.stop();
      holder.tell(completed());
      await stopped;
      const { started } = scene.answer([completed()]);
      await scene.settlement(parked[0]);
      expect(idsOf(started)).toEqual([parked[0].id]);
    });

    it('holds for 60 jobs of 4 keys at two workers, with retries, and none is lost', async () => {
      const keys = ['a', 'b', 'c', 'd'];
      const jobs = Array.from({ length: 60 }, (_, index) => scene.job({ rules: atMost(3, keys[index % 4]) }));
      const again = new Set(idsOf(jobs.filter((_, index) => index % 5 === 0)));
      const active: Record<string, number> = { a: 0, b: 0, c: 0, d: 0 };
      const most = { ...active };
      let starts = 0;
      const run = async ({ id, attemptsMade, rules }: ActiveJob): Promise<Outcome> => {
        const { key } = rules!.concurrency!;
        starts++;
        most[key] = Math.max(most[key], ++active[key]);
        await runFor(5 + (starts % 4) * 5);
        active[key]--;
        return attemptsMade === 0 && again.has(id) ? retry(0) : completed();
      };
      for (const worker of ['a', 'b']) scene.work((job) => running(run(job)), { concurrency: 20, worker });
      await scene.engine.enqueue(jobs);
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      expect(most).toEqual({ a: 3, b: 3, c: 3, d: 3 });
      expect(starts).toBe(72);
      await scene.expectCounts({ completed: 60 });
    });
  });

  async function endWithoutRun(job: NewJob, how: 'cancelled' | 'removed' | 'expired'): Promise<void> {
    if (how === 'cancelled') expect(await scene.engine.cancel([job])).toEqual([true]);
    else if (how === 'removed') expect(await scene.engine.remove([job])).toEqual([true]);
    else await scene.becomes(job, 'expired');
  }

  describe('limits that a worker finds missing', () => {
    it.each([
      ['concurrency', atMost(1)],
      ['rate', paced(1, KEEP)],
    ] as const)('are obeyed once it has declined the jobs with a limit of %s', async (waitingFor, rules) => {
      const jobs = scene.jobs(3);
      await scene.engine.enqueue(jobs);
      const held = scene.hold();
      await held.started(3);
      for (const run of held.runs.slice(0, 3)) run.tell({ type: 'declined', delay: 0, rules });
      const { job } = await held.started(4);
      expect(job).toMatchObject({ rules, attemptsMade: 0, runs: [] });
      const waiting = jobs.filter(({ id }) => id !== job.id);
      for (const one of waiting) {
        await scene.waitsFor(one, waitingFor);
        expect(await scene.known(one)).toMatchObject({ rules, attemptsMade: 0, runs: [] });
      }
      await scene.roundTrip();
      expect(held.runs).toHaveLength(4);
      await scene.expectCounts({ active: 1, waiting: 2 });
    });

    it('take the place of those that the job had', async () => {
      const job = await scene.enqueue({ rules: { ...atMost(1, 'old'), ...tagged('ada') } });
      const held = scene.hold();
      const run = await held.started(1);
      const other = await scene.enqueue({ rules: atMost(1, 'old') });
      await scene.waitsFor(other, 'concurrency');
      const rules = { ...job.rules, ...atMost(1, 'new'), ...paced(9, KEEP) };
      run.tell({ type: 'declined', delay: 0, rules });
      await held.started(3);
      expect((await scene.known(job)).rules).toEqual(rules);
      expect(await scene.engine.state(other)).toBe('active');
      expect(await scene.engine.state(job)).toBe('active');
      expect(idsOf(await scene.list({ tag: 'ada' }))).toEqual([job.id]);
    });
  });
}
