import { describe, expect, it } from 'vitest';
import type { KnownState } from '../../../lib/contracts/engine.js';
import { expiresIn, tagged, unique } from '../rules.js';
import { completed, idsOf, retry, type Scene } from '../scene.js';

export function tagCases(scene: Scene): void {
  const tagList = async (tag: string, state?: KnownState): Promise<string[]> =>
    idsOf(await scene.list({ tag, ...(state && { state }) })).toSorted();

  describe('tags', () => {
    it('find their jobs, each by each of its tags', async () => {
      const first = await scene.enqueue({ rules: tagged('ada', 'monthly') });
      const second = await scene.enqueue({ rules: tagged('monthly') });
      await scene.enqueue();
      expect(await tagList('ada')).toEqual([first.id]);
      expect(await tagList('monthly')).toEqual(idsOf([first, second]));
      expect(await tagList('nobody')).toEqual([]);
    });

    it('find jobs in every state, and of one state', async () => {
      const jobs = await scene.oneOfEach({ rules: tagged('ada') });
      expect(await tagList('ada')).toEqual(idsOf(Object.values(jobs)).toSorted());
      for (const [state, job] of Object.entries(jobs))
        expect(await tagList('ada', state as KnownState)).toEqual([job.id]);
    });

    it('find parked jobs', async () => {
      const { parked } = await scene.park(1, { rules: tagged('ada') });
      expect(await tagList('ada', 'waiting')).toEqual([parked[0].id]);
    });

    it('find a job in the state it has just now', async () => {
      const job = await scene.enqueue({ rules: { ...tagged('ada'), ...expiresIn(150) } });
      expect(await tagList('ada', 'waiting')).toEqual([job.id]);
      await scene.passed(job.rules!.expiresAt! + 1);
      expect(await tagList('ada', 'waiting')).toEqual([]);
      expect(await tagList('ada', 'expired')).toEqual([job.id]);
    });

    it('find whole jobs', async () => {
      const job = await scene.enqueue({ rules: tagged('ada', 'monthly'), metadata: { tenant: 'acme' } });
      const [found] = await scene.list({ tag: 'ada' });
      expect(found).toEqual(await scene.known(job));
      expect(found.rules).toEqual(tagged('ada', 'monthly'));
    });

    it('are of one queue', async () => {
      await scene.enqueue({ rules: tagged('ada') });
      const mail = await scene.enqueue({ queue: 'mail', rules: tagged('ada') });
      expect(idsOf(await scene.list({ queue: 'mail', tag: 'ada' }))).toEqual([mail.id]);
    });

    it('may be any text', async () => {
      const tags = ['order:42', '__proto__', 'constructor', 'Zoë 日本語 "quoted" 🎉', '{hash}', '0', '*', 'ADA', 'ada'];
      const jobs = tags.map((tag) => scene.job({ rules: tagged(tag) }));
      await scene.engine.enqueue(jobs);
      for (const [index, tag] of tags.entries()) expect(await tagList(tag)).toEqual([jobs[index].id]);
      expect(await tagList('valueOf')).toEqual([]);
    });

    it('find each of many jobs once, page by page', async () => {
      const jobs = scene.jobs(60, { rules: tagged('ada') });
      await scene.engine.enqueue([...jobs, ...scene.jobs(60, { rules: tagged('bob') })]);
      for (const limit of [7, 100]) {
        expect(idsOf(await scene.list({ tag: 'ada', limit })).toSorted()).toEqual(idsOf(jobs).toSorted());
      }
    });

    it('go with the job through its runs', async () => {
      const job = await scene.enqueue({ rules: tagged('ada') });
      const { started } = scene.answer([retry(0), completed()]);
      await scene.settlement(job);
      expect(started.map(({ rules }) => rules)).toEqual([tagged('ada'), tagged('ada')]);
      expect(await tagList('ada', 'completed')).toEqual([job.id]);
    });
  });

  describe('the tags of a job that is no longer known', () => {
    it('are gone when nothing is kept of it', async () => {
      const job = await scene.enqueue({ rules: tagged('ada') });
      scene.answer([completed('1', 0)]);
      await scene.becomes(job, 'unknown');
      expect(await tagList('ada')).toEqual([]);
    });

    it('are gone when its time is over', async () => {
      const job = await scene.enqueue({ rules: tagged('ada') });
      const { worker } = scene.answer([completed('1', 100)]);
      await scene.becomes(job, 'unknown');
      await worker.stop();
      expect(await tagList('ada')).toEqual([]);
    });

    it.each(['waiting', 'cancelled', 'failed'] as const)(
      'are gone when it is removed while it is %s',
      async (state) => {
        const job = await scene.jobIn(state, { rules: tagged('ada') });
        expect(await scene.engine.remove([job])).toEqual([true]);
        expect(await tagList('ada')).toEqual([]);
      },
    );

    it('do not find a later job of its id', async () => {
      const job = await scene.enqueue({ rules: tagged('ada') });
      await scene.engine.remove([job]);
      await scene.enqueue({ id: job.id, rules: tagged('bob') });
      expect(await tagList('ada')).toEqual([]);
      expect(await tagList('bob')).toEqual([job.id]);
    });
  });

  describe('the tags of a job that was not stored', () => {
    it('are dropped when its id is known', async () => {
      const job = await scene.enqueue({ rules: tagged('ada') });
      await scene.enqueue({ id: job.id, rules: tagged('bob') });
      expect(await tagList('bob')).toEqual([]);
      expect(await tagList('ada')).toEqual([job.id]);
    });

    it('are dropped when its key is taken', async () => {
      await scene.enqueue({ rules: unique() });
      await scene.enqueue({ rules: { ...unique(), ...tagged('bob') } });
      expect(await tagList('bob')).toEqual([]);
    });

    it('are dropped with the whole call', async () => {
      await scene.enqueue({ rules: unique() });
      const jobs = [scene.job({ rules: tagged('bob') }), scene.job({ rules: unique('finished', 'reject') })];
      await expect(scene.engine.enqueue(jobs)).rejects.toThrow();
      expect(await tagList('bob')).toEqual([]);
    });
  });
}
