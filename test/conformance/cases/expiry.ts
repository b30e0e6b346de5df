import { setTimeout as runFor } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import { expiresIn, paced, tagged } from '../rules.js';
import {
  blockPast,
  completed,
  declined,
  failed,
  KEEP,
  retry,
  running,
  shutdown,
  snooze,
  type Scene,
} from '../scene.js';

export function expiryCases(scene: Scene): void {
  const expiresAt = (job: NewJob): number => job.rules!.expiresAt!;

  /** The job is expired at its instant, and whoever watches is told then. */
  async function expectExpiry(job: NewJob): Promise<void> {
    expect(await scene.settlement(job)).toEqual({ state: 'expired' });
    const toldAt = Date.now();
    expect(toldAt).toBeGreaterThanOrEqual(expiresAt(job));
    expect(toldAt).toBeLessThan(expiresAt(job) + 1_000);
    expect(await scene.engine.state(job)).toBe('expired');
    const record = await scene.known(job);
    expect(record.state).toBe('expired');
    expect(record.waitingFor).toBeUndefined();
    expect(record.finishedAt).toBeGreaterThanOrEqual(expiresAt(job));
    expect(record.finishedAt).toBeLessThanOrEqual(Date.now());
  }

  describe('a job that has not started when it expires', () => {
    it('is expired at that instant, without a worker', async () => {
      const job = await scene.enqueue({ rules: expiresIn(200) });
      expect(await scene.engine.state(job)).toBe('waiting');
      await scene.expectCounts({ waiting: 1 });
      await expectExpiry(job);
      await scene.expectCounts({ expired: 1 });
    });

    it.each<[string, (job: NewJob) => Promise<unknown>]>([
      ['its state', async (job) => ({ [await scene.engine.state(job)]: 1 })],
      ['find', async (job) => ({ [(await scene.known(job)).state]: 1 })],
      ['the counts', async () => scene.engine.counts('default')],
      ['the list of expired jobs', async () => ({ expired: (await scene.list({ state: 'expired' })).length })],
      ['the whole list', async () => ({ [(await scene.list())[0].state]: 1 })],
    ])('reads expired from that instant on by %s, though nothing has told the engine yet', async (_what, read) => {
      for (const fields of [{}, { dueAt: Date.now() + KEEP }]) {
        const job = await scene.enqueue({ rules: expiresIn(60), ...fields });
        blockPast(expiresAt(job) + 1);
        expect(await read(job)).toMatchObject({ expired: 1 });
        await scene.engine.remove([job]);
      }
    });

    it('is expired in a paused queue', async () => {
      await scene.engine.pause('default', 'cluster');
      const { started } = scene.answer([completed()]);
      const job = await scene.enqueue({ rules: expiresIn(150) });
      await expectExpiry(job);
      await scene.engine.resume('default', 'cluster');
      await scene.settlement(await scene.enqueue());
      expect(started).toHaveLength(1);
    });

    it('is expired while it is delayed', async () => {
      await expectExpiry(await scene.enqueue({ rules: expiresIn(150), dueAt: Date.now() + KEEP }));
      await scene.expectCounts({ expired: 1 });
    });

    it('is expired while every place is taken', async () => {
      await scene.jobIn('active');
      await expectExpiry(await scene.enqueue({ rules: expiresIn(150) }));
      await scene.expectCounts({ active: 1, expired: 1 });
    });

    it('is expired while it is parked', async () => {
      const { parked } = await scene.park(1, { rules: expiresIn(300) });
      await expectExpiry(parked[0]);
      await scene.expectCounts({ active: 1, expired: 1 });
    });

    it('is expired while it waits for a rate', async () => {
      scene.answer([completed()]);
      await scene.settlement(await scene.enqueue({ rules: paced(1, KEEP) }));
      const job = await scene.enqueue({ rules: { ...paced(1, KEEP), ...expiresIn(300) } });
      await scene.waitsFor(job, 'rate');
      await expectExpiry(job);
      await scene.expectCounts({ completed: 1, expired: 1 });
    });

    it('is expired while it waits for its retry, with the run on record', async () => {
      const job = await scene.enqueue({ rules: expiresIn(250) });
      scene.answer([retry(KEEP)]);
      await scene.becomes(job, 'delayed');
      await expectExpiry(job);
      expect((await scene.known(job)).runs).toMatchObject([{ attempt: 1, outcome: 'retry' }]);
      await scene.expectCounts({ expired: 1 });
    });

    it('never starts', async () => {
      const jobs = [
        scene.job({ rules: expiresIn(100) }),
        scene.job({ rules: expiresIn(100), dueAt: Date.now() + 150 }),
      ];
      await scene.engine.enqueue(jobs);
      await scene.passed(jobs[1].dueAt!);
      const { started } = scene.answer([completed()]);
      const later = await scene.enqueue({ dueAt: Date.now() + 50 });
      await scene.settlement(later);
      expect(started.map(({ id }) => id)).toEqual([later.id]);
      await scene.expectCounts({ completed: 1, expired: 2 });
    });

    it('is expired at once when the instant was over already', async () => {
      const job = scene.job({ rules: expiresIn(-1_000) });
      expect(await scene.engine.enqueue([job])).toEqual([{ id: job.id, deduplicated: false }]);
      expect(await scene.engine.state(job)).toBe('expired');
      expect(await scene.settlement(job)).toEqual({ state: 'expired' });
      await scene.expectCounts({ expired: 1 });
    });

    it('keeps what was known of it, and its id', async () => {
      const fields = { args: '["Zoë"]', metadata: { tenant: 'acme' } };
      const job = await scene.jobIn('expired', { ...fields, rules: tagged('monthly') });
      expect(await scene.known(job)).toMatchObject({ ...fields, runs: [], rules: { tags: ['monthly'] } });
      expect(await scene.engine.enqueue([scene.job({ id: job.id })])).toEqual([{ id: job.id, deduplicated: true }]);
    });

    it('lets those that do not expire start', async () => {
      const jobs = Array.from({ length: 300 }, (_, index) => scene.job(index % 3 > 0 ? { rules: expiresIn(200) } : {}));
      await scene.engine.enqueue(jobs);
      await scene.passed(expiresAt(jobs.at(-1)!));
      await scene.expectCounts({ waiting: 100, expired: 200 });
      const { started } = scene.answer([completed()], { concurrency: 50 });
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      expect(started).toHaveLength(100);
      await scene.expectCounts({ completed: 100, expired: 200 });
    });
  });

  describe('a job that starts before it expires', () => {
    it.each(['completed', 'failed'] as const)('is not touched while it runs, and is %s', async (state) => {
      const job = await scene.enqueue({ rules: expiresIn(200) });
      const run = await scene.hold().started(1);
      await scene.passed(expiresAt(job) + 20);
      await scene.roundTrip();
      expect(await scene.engine.state(job)).toBe('active');
      expect(run.aborted).toBeUndefined();
      run.tell(state === 'completed' ? completed('1') : failed());
      expect((await scene.settlement(job)).state).toBe(state);
      await scene.expectCounts({ [state]: 1 });
    });

    it.each([
      ['a retry', retry(0)],
      ['a delayed retry', retry(KEEP)],
      ['a snooze', snooze(0)],
      ['a shutdown', shutdown(0)],
      ['a declined run', declined(0)],
    ])('is expired by %s after the instant', async (_name, outcome) => {
      const job = await scene.enqueue({ rules: expiresIn(200) });
      const held = scene.hold();
      const run = await held.started(1);
      await scene.passed(expiresAt(job));
      run.tell(outcome);
      expect(await scene.settlement(job)).toEqual({ state: 'expired' });
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      await scene.expectCounts({ expired: 1 });
    });

    it('runs its retries until then', async () => {
      const job = await scene.enqueue({ rules: expiresIn(KEEP) });
      scene.answer([retry(0), retry(20), completed('1')]);
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
      expect((await scene.known(job)).runs).toHaveLength(3);
    });
  });

  describe('jobs that expire while workers take them', () => {
    it('either run or expire, and none starts after its instant', async () => {
      const jobs = Array.from({ length: 100 }, (_, index) => scene.job({ rules: expiresIn(40 + index * 2) }));
      await scene.engine.enqueue(jobs);
      const started = new Set<string>();
      const start = ({ id }: { id: string }) => {
        expect(started).not.toContain(id);
        started.add(id);
        return running(runFor(15).then(() => completed()));
      };
      for (const worker of ['a', 'b']) scene.work(start, { concurrency: 2, worker });
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      for (const job of jobs) {
        const { state, runs } = await scene.known(job);
        expect(state).toBe(started.has(job.id) ? 'completed' : 'expired');
        for (const { startedAt } of runs) expect(startedAt).toBeLessThan(expiresAt(job));
      }
      await scene.expectCounts({ completed: started.size, expired: 100 - started.size });
    });
  });

  describe('an expired job', () => {
    it('is unknown when its age is over', async () => {
      await scene.keepStopped({ age: 500, count: 10 });
      const job = await scene.enqueue({ rules: expiresIn(100) });
      expect(await scene.settlement(job)).toEqual({ state: 'expired' });
      expect(await scene.engine.state(job)).toBe('expired');
      await scene.becomes(job, 'unknown');
      await scene.expectCounts({});
    });

    it('makes room when there are more than the number to keep, the oldest first', async () => {
      await scene.keepStopped({ age: KEEP, count: 2 });
      const jobs = [50, 100, 150, 200].map((milliseconds) => scene.job({ rules: expiresIn(milliseconds) }));
      await scene.engine.enqueue(jobs);
      expect(await Promise.all(jobs.map((job) => scene.settlement(job)))).toEqual(
        jobs.map(() => ({ state: 'expired' })),
      );
      await scene.becomes(jobs[1], 'unknown');
      const states = await Promise.all(jobs.map((job) => scene.engine.state(job)));
      expect(states).toEqual(['unknown', 'unknown', 'expired', 'expired']);
      await scene.expectCounts({ expired: 2 });
    });

    it.each([
      ['age', { age: 0, count: 10 }],
      ['number', { age: KEEP, count: 0 }],
    ])('is forgotten at once when the %s to keep is 0, and whoever watched is told', async (_what, retention) => {
      await scene.keepStopped(retention);
      const job = await scene.enqueue({ rules: expiresIn(200) });
      expect(await scene.settlement(job)).toEqual({ state: 'expired' });
      await scene.becomes(job, 'unknown');
      await scene.expectCounts({});
      expect(await scene.engine.enqueue([scene.job({ id: job.id })])).toEqual([{ id: job.id, deduplicated: false }]);
    });
  });
}
