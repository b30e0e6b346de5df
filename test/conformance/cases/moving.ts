import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../lib/contracts/engine.js';
import { UnknownQueueError } from '../../../lib/contracts/errors.js';
import { expiresIn, HIGH, tagged, unique } from '../rules.js';
import { address, completed, idsOf, retry, type Scene } from '../scene.js';

const STOPPED = ['failed', 'cancelled', 'expired'] as const;

export function moveCases(scene: Scene): void {
  const moved = (job: NewJob) => ({ id: job.id, queue: 'mail' });

  describe('moving a job to another queue', () => {
    it('takes everything that is known of it there, in its state', async () => {
      const fields = { args: '["Zoë"]', metadata: { tenant: 'acme' }, options: { attempts: 7 }, rules: tagged('ada') };
      const job = await scene.enqueue(fields);
      const { worker } = scene.answer([retry(60_000)]);
      await scene.becomes(job, 'delayed');
      await worker.stop();
      await scene.engine.log(address(job), 'line');
      await scene.engine.progress(address(job), '50');
      const before = await scene.known(job);
      expect(await scene.engine.move([job], 'mail')).toEqual([true]);
      expect(await scene.known(moved(job))).toEqual({ ...before, queue: 'mail' });
      expect(await scene.engine.state(job)).toBe('unknown');
      expect((await scene.known({ id: job.id })).queue).toBe('mail');
      expect(idsOf(await scene.list({ queue: 'mail', tag: 'ada' }))).toEqual([job.id]);
      expect(await scene.list({ tag: 'ada' })).toEqual([]);
      await scene.expectCounts({});
      await scene.expectCounts({ delayed: 1 }, 'mail');
    });

    it('lets it run there, once, and not where it was', async () => {
      const job = await scene.enqueue();
      await scene.engine.move([job], 'mail');
      await scene.expectCounts({ waiting: 1 }, 'mail');
      const here = scene.answer([completed()]);
      const there = scene.answer([completed('"mail"')], { queue: 'mail' });
      expect(await scene.settlement(moved(job))).toEqual({ state: 'completed', result: '"mail"' });
      await scene.settlement(await scene.enqueue());
      expect(here.started).toHaveLength(1);
      expect(there.started).toHaveLength(1);
      expect(there.started[0]).toMatchObject({ id: job.id, queue: 'mail' });
    });

    it('wakes a worker that has nothing to do, also at a due instant', async () => {
      scene.answer([completed()], { queue: 'mail' });
      await scene.settlement(await scene.enqueue({ queue: 'mail' }));
      const jobs = [scene.job(), scene.job({ dueAt: Date.now() + 200 })];
      await scene.engine.enqueue(jobs);
      expect(await scene.engine.move(jobs, 'mail')).toEqual([true, true]);
      for (const job of jobs) expect((await scene.settlement(moved(job))).state).toBe('completed');
      expect(Date.now()).toBeGreaterThanOrEqual(jobs[1].dueAt!);
    });

    it('keeps its priority and its expiry', async () => {
      const normal = await scene.enqueue({ queue: 'mail' });
      const high = await scene.enqueue({ rules: HIGH });
      const expiring = await scene.enqueue({ rules: expiresIn(200) });
      await scene.engine.move([high, expiring], 'mail');
      expect(await scene.settlement(moved(expiring))).toEqual({ state: 'expired' });
      const { started } = scene.answer([completed()], { queue: 'mail', concurrency: 1 });
      await scene.settlement(normal);
      expect(idsOf(started)).toEqual(idsOf([high, normal]));
    });

    it('takes a parked job to where there may be a place', async () => {
      const { parked } = await scene.park(1);
      expect(await scene.engine.move(parked, 'mail')).toEqual([true]);
      scene.answer([completed()], { queue: 'mail' });
      expect((await scene.settlement(moved(parked[0]))).state).toBe('completed');
      await scene.expectCounts({ active: 1 });
    });

    it('takes its unique key with it', async () => {
      const job = await scene.enqueue({ rules: unique() });
      await scene.engine.move([job], 'mail');
      const [here, there] = [scene.job({ rules: unique() }), scene.job({ rules: unique(), queue: 'mail' })];
      expect(await scene.engine.enqueue([here])).toEqual([{ id: here.id, deduplicated: false }]);
      expect(await scene.engine.enqueue([there])).toEqual([{ id: job.id, deduplicated: true }]);
    });

    it.each(STOPPED)('starts it afresh when it was %s', async (state) => {
      const job = await scene.jobIn(state);
      const { runs } = await scene.known(job);
      expect(await scene.engine.move([job], 'mail')).toEqual([true]);
      const record = await scene.known(moved(job));
      expect(record).toMatchObject({ state: 'waiting', attemptsMade: 0, crashes: 0, runs });
      for (const field of ['finishedAt', 'error', 'result'] as const) expect(record[field]).toBeUndefined();
      await scene.expectCounts({});
      await scene.expectCounts({ waiting: 1 }, 'mail');
      scene.answer([completed('1')], { queue: 'mail' });
      expect(await scene.settlement(moved(job))).toEqual({ state: 'completed', result: '1' });
    });

    it.each(['active', 'completed'] as const)('answers false when it is %s, and changes nothing', async (state) => {
      const job = await scene.jobIn(state);
      const before = await scene.known(job);
      expect(await scene.engine.move([job], 'mail')).toEqual([false]);
      expect(await scene.known(job)).toEqual(before);
      expect(await scene.engine.state(moved(job))).toBe('unknown');
    });

    it('answers false when the other queue knows the id, and changes neither', async () => {
      const here = await scene.enqueue({ id: 'same', args: '["here"]' });
      const there = await scene.enqueue({ id: 'same', args: '["there"]', queue: 'mail' });
      expect(await scene.engine.move([here], 'mail')).toEqual([false]);
      expect((await scene.known(here)).args).toBe('["here"]');
      expect((await scene.known(there)).args).toBe('["there"]');
      await scene.expectCounts({ waiting: 1 });
      await scene.expectCounts({ waiting: 1 }, 'mail');
    });

    it('answers for each of several jobs in its place', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const jobs = [first, { id: 'nobody' }, { id: second.id }];
      expect(await scene.engine.move(jobs, 'mail')).toEqual([true, false, true]);
      expect(await scene.engine.move([], 'mail')).toEqual([]);
      expect(idsOf(await scene.list({ queue: 'mail', state: 'waiting' }))).toEqual(idsOf([first, second]));
    });

    it('refuses a queue that was not declared, and leaves the job where it is', async () => {
      const job = await scene.enqueue();
      await expect(scene.engine.move([job], 'nowhere')).rejects.toThrow(UnknownQueueError);
      expect(await scene.engine.state(job)).toBe('waiting');
    });
  });
}
