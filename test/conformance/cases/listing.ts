import { describe, expect, it } from 'vitest';
import type { KnownState, NewJob } from '../../../lib/contracts/engine.js';
import { EngineUnavailableError, UnknownQueueError } from '../../../lib/contracts/errors.js';
import { expiresIn, HIGH, LOW, paced, tagged } from '../rules.js';
import { address, completed, failed, idsOf, KEEP, NO_JOBS, retry, type Scene } from '../scene.js';

const ENDED = ['completed', 'failed', 'cancelled', 'expired'] as const;
const STATES = Object.keys(NO_JOBS) as KnownState[];

export function listCases(scene: Scene): void {
  describe('list', () => {
    it('answers nothing of an empty queue', async () => {
      for (const state of [undefined, ...STATES]) {
        expect(await scene.list(state && { state })).toEqual([]);
      }
      expect(await scene.list({ tag: 'ada' })).toEqual([]);
    });

    it('answers the jobs of one state', async () => {
      const jobs = await scene.oneOfEach();
      for (const state of STATES) {
        const found = await scene.list({ state });
        expect(idsOf(found)).toEqual([jobs[state].id]);
        expect(found[0].state).toBe(state);
      }
    });

    it('answers one state after the other where none is asked for', async () => {
      await scene.oneOfEach();
      await scene.jobIn('waiting');
      await scene.jobIn('cancelled');
      const states = [
        'waiting',
        'waiting',
        'delayed',
        'active',
        'completed',
        'failed',
        'cancelled',
        'cancelled',
        'expired',
      ];
      for (const limit of [1, 2, 4, 9, 100]) {
        expect((await scene.list({ limit })).map(({ state }) => state)).toEqual(states);
      }
    });

    it('answers whole jobs, as find does', async () => {
      const job = await scene.enqueue({ args: '["Zoë"]', metadata: { tenant: 'acme' }, rules: tagged('ada') });
      await scene.engine.progress(address(job), '50');
      await scene.engine.log(address(job), 'line');
      scene.answer([retry(0), failed()]);
      await scene.settlement(job);
      expect(await scene.list({ state: 'failed' })).toEqual([await scene.known(job)]);
    });

    it('answers the jobs of one queue', async () => {
      await scene.enqueue();
      const mail = await scene.enqueue({ queue: 'mail' });
      expect(idsOf(await scene.list({ queue: 'mail' }))).toEqual([mail.id]);
    });

    it('refuses a queue that was not declared', async () => {
      await expect(scene.engine.list({ queue: 'nowhere', limit: 10 })).rejects.toThrow(UnknownQueueError);
    });

    it('is refused by a closed engine', async () => {
      await scene.engine.close();
      await expect(scene.engine.list({ queue: 'default', limit: 10 })).rejects.toThrow(EngineUnavailableError);
    });
  });

  describe('the order of a list', () => {
    it('is that of the starts for what waits', async () => {
      const [low, normal, high] = [scene.job({ rules: LOW }), scene.job(), scene.job({ rules: HIGH })];
      const [low2, normal2, high2] = [scene.job({ rules: LOW }), scene.job(), scene.job({ rules: HIGH })];
      await scene.engine.enqueue([low, normal, high]);
      await scene.engine.enqueue([low2, normal2, high2]);
      const order = idsOf([high, high2, normal, normal2, low, low2]);
      for (const limit of [1, 4, 100]) expect(idsOf(await scene.list({ state: 'waiting', limit }))).toEqual(order);
    });

    it('has a job that was put back behind those before which it will not start', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      await scene.engine.pause('default', 'cluster');
      run.tell(retry(0));
      await scene.becomes(first, 'waiting');
      expect(idsOf(await scene.list({ state: 'waiting' }))).toEqual(idsOf([second, first]));
    });

    it('has what is parked or paced last', async () => {
      const { parked } = await scene.park(2);
      const [, later] = [
        await scene.enqueue({ rules: paced(1, KEEP) }),
        await scene.enqueue({ rules: paced(1, KEEP) }),
      ];
      await scene.waitsFor(later, 'rate');
      await scene.engine.pause('default', 'cluster');
      const low = await scene.enqueue({ rules: LOW });
      const waiting = idsOf(await scene.list({ state: 'waiting' }));
      expect(waiting[0]).toBe(low.id);
      expect(waiting.slice(1).toSorted()).toEqual(idsOf([...parked, later]).toSorted());
      expect(waiting.indexOf(parked[0].id)).toBeLessThan(waiting.indexOf(parked[1].id));
      expect(idsOf(await scene.list({ state: 'waiting', limit: 1 }))).toEqual(waiting);
    });

    it('is that of the due instants for what is delayed', async () => {
      const [third, first, second] = [3, 1, 2].map((place) => scene.job({ dueAt: Date.now() + KEEP + place * 1_000 }));
      await scene.engine.enqueue([third, first, second]);
      expect(idsOf(await scene.list({ state: 'delayed', limit: 2 }))).toEqual(idsOf([first, second, third]));
    });

    it.each(ENDED)('has the latest first of what is %s', async (state) => {
      const jobs: NewJob[] = [];
      for (let index = 0; index < 3; index++) {
        jobs.push(await scene.jobIn(state));
        await scene.passed(Date.now() + 1);
      }
      for (const limit of [1, 2, 100]) {
        expect(idsOf(await scene.list({ state, limit }))).toEqual(idsOf(jobs.toReversed()));
      }
    });
  });

  describe('the pages of a list', () => {
    it('have as many jobs as were asked for, and a cursor while there are more', async () => {
      const jobs = scene.jobs(5);
      await scene.engine.enqueue(jobs);
      const asked = { queue: 'default', state: 'waiting', limit: 2 } as const;
      const first = await scene.engine.list(asked);
      expect(idsOf(first.jobs)).toEqual(idsOf(jobs.slice(0, 2)));
      expect(first.cursor).toEqual(expect.any(String));
      const second = await scene.engine.list({ ...asked, cursor: first.cursor });
      expect(idsOf(second.jobs)).toEqual(idsOf(jobs.slice(2, 4)));
      const again = await scene.engine.list({ ...asked, cursor: first.cursor });
      expect(idsOf(again.jobs)).toEqual(idsOf(second.jobs));
    });

    it.each(ENDED)('have each of many %s jobs once, also of those that ended together', async (state) => {
      const jobs = scene.jobs(40, state === 'expired' ? { rules: expiresIn(-1) } : {});
      await scene.engine.enqueue(jobs);
      if (state === 'cancelled') await scene.engine.cancel(jobs);
      if (state === 'completed' || state === 'failed') scene.answer([state === 'completed' ? completed() : failed()]);
      await Promise.all(jobs.map((job) => scene.settlement(job)));
      for (const limit of [1, 7, 40]) {
        const found = await scene.list({ state, limit });
        expect(idsOf(found).toSorted()).toEqual(idsOf(jobs).toSorted());
        const ends = found.map(({ finishedAt }) => finishedAt!);
        expect(ends).toEqual(ends.toSorted((a, b) => b - a));
      }
    });

    it('have a thousand waiting jobs in their order', async () => {
      const jobs = scene.jobs(1_000);
      await scene.engine.enqueue(jobs);
      expect(idsOf(await scene.list({ state: 'waiting', limit: 300 }))).toEqual(idsOf(jobs));
      expect(idsOf(await scene.list({ limit: 300 }))).toEqual(idsOf(jobs));
    });

    it.each(['waiting', 'cancelled'] as const)('go on when the %s jobs of the pages before are gone', async (state) => {
      const jobs = scene.jobs(10);
      await scene.engine.enqueue(jobs);
      if (state === 'cancelled') await scene.engine.cancel(jobs);
      const { jobs: first, cursor } = await scene.engine.list({ queue: 'default', state, limit: 4 });
      await scene.engine.remove(first.map(address));
      const rest = await scene.list({ state, limit: 4, cursor });
      const left = new Set(idsOf(jobs).filter((id) => !idsOf(first).includes(id)));
      expect(idsOf(rest).every((id) => left.has(id))).toBe(true);
      expect(new Set(idsOf(await scene.list({ state, limit: 4 })))).toEqual(left);
    });
  });

  describe('a job whose state has changed', () => {
    it('is not listed as waiting or delayed once it has expired', async () => {
      const [waiting, delayed] = [
        scene.job({ rules: expiresIn(150) }),
        scene.job({ rules: expiresIn(150), dueAt: Date.now() + KEEP }),
      ];
      await scene.engine.enqueue([waiting, delayed]);
      await scene.passed(delayed.rules!.expiresAt! + 1);
      expect(await scene.list({ state: 'waiting' })).toEqual([]);
      expect(await scene.list({ state: 'delayed' })).toEqual([]);
      const expired = await scene.list({ state: 'expired' });
      expect(idsOf(expired).toSorted()).toEqual(idsOf([waiting, delayed]).toSorted());
      expect((await scene.list()).map(({ state }) => state)).toEqual(['expired', 'expired']);
    });

    it('is listed as cancelled, not as active, while its run has not ended', async () => {
      const job = await scene.jobIn('active');
      await scene.engine.cancel([job]);
      expect(await scene.list({ state: 'active' })).toEqual([]);
      expect(idsOf(await scene.list({ state: 'cancelled' }))).toEqual([job.id]);
      await scene.expectCounts({ cancelled: 1 });
    });

    it('is not listed once its time is over', async () => {
      const job = await scene.enqueue();
      scene.answer([completed('1', 100)]);
      await scene.settlement(job);
      const finishedAt = (await scene.find(job))?.finishedAt ?? Date.now();
      await scene.passed(finishedAt + 101);
      expect(await scene.list()).toEqual([]);
    });
  });
}
