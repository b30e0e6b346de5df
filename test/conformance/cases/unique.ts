import { describe, expect, it } from 'vitest';
import type { EnqueuedJob, NewJob } from '../../../lib/contracts/engine.js';
import { DuplicateJobError } from '../../../lib/contracts/errors.js';
import { atMost, expiresIn, unique, type UniqueUntil } from '../rules.js';
import { blockPast, completed, failed, KEEP, retry, snooze, type Scene } from '../scene.js';

const UNTILS: readonly UniqueUntil[] = ['started', 'finished', KEEP];

export function uniqueCases(scene: Scene): void {
  /** Enqueues one more job of the key, and answers what its caller learns. */
  async function enqueueAnother(until: UniqueUntil, fields: Partial<NewJob> = {}): Promise<EnqueuedJob> {
    const [answer] = await scene.engine.enqueue([scene.job({ rules: unique(until), ...fields })]);
    return answer;
  }
  const expectTaken = async (until: UniqueUntil, holder: { id: string }): Promise<void> =>
    expect(await enqueueAnother(until)).toEqual({ id: holder.id, deduplicated: true });
  const expectFree = async (until: UniqueUntil): Promise<void> =>
    expect(await enqueueAnother(until)).toMatchObject({ deduplicated: false });

  describe.each(UNTILS)('a unique key until %s', (until) => {
    it('is of one job, which answers for the others', async () => {
      const holder = await scene.enqueue({ rules: unique(until), args: '["first"]' });
      const other = scene.job({ rules: unique(until), args: '["second"]' });
      expect(await scene.engine.enqueue([other])).toEqual([{ id: holder.id, deduplicated: true }]);
      expect(await scene.engine.state(other)).toBe('unknown');
      expect((await scene.known(holder)).args).toBe('["first"]');
      await scene.expectCounts({ waiting: 1 });
    });

    it('is of one of a hundred jobs that come at the same time, and every caller knows which', async () => {
      const jobs = scene.jobs(100, { rules: unique(until) });
      const answers = (await Promise.all(jobs.map((job) => scene.engine.enqueue([job])))).flat();
      expect(answers.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
      const holder = answers.find(({ deduplicated }) => !deduplicated)!;
      expect(answers.every(({ id }) => id === holder.id)).toBe(true);
      await scene.expectCounts({ waiting: 1 });
    });

    it('is of the first of the jobs of one call', async () => {
      const [first, plain, second] = [
        scene.job({ rules: unique(until) }),
        scene.job(),
        scene.job({ rules: unique(until) }),
      ];
      expect(await scene.engine.enqueue([first, plain, second])).toEqual([
        { id: first.id, deduplicated: false },
        { id: plain.id, deduplicated: false },
        { id: first.id, deduplicated: true },
      ]);
      await scene.expectCounts({ waiting: 2 });
    });

    it('answers for jobs of one call that have one id, too', async () => {
      const holder = await scene.enqueue({ rules: unique(until) });
      const other = scene.job({ rules: unique(until), enqueuedAt: holder.enqueuedAt });
      const answer = { id: holder.id, deduplicated: true };
      expect(await scene.engine.enqueue([other, { ...other }])).toEqual([answer, answer]);
      await scene.expectCounts({ waiting: 1 });
    });

    it('is not taken for another key or another queue', async () => {
      await scene.enqueue({ rules: unique(until) });
      expect(await enqueueAnother(until, { rules: unique(until, 'return', 'Mail.send:bob') })).toMatchObject({
        deduplicated: false,
      });
      expect(await enqueueAnother(until, { queue: 'mail' })).toMatchObject({ deduplicated: false });
    });

    it('is taken by a job that is delayed', async () => {
      await expectTaken(until, await scene.jobIn('delayed', { rules: unique(until) }));
    });

    it('is taken by a job that is parked', async () => {
      const { parked } = await scene.park(1, { rules: unique(until) });
      await expectTaken(until, parked[0]);
    });

    it.each(['waiting', 'delayed'] as const)('is free once its %s job is cancelled', async (state) => {
      const holder = await scene.jobIn(state, { rules: unique(until) });
      await scene.engine.cancel([holder]);
      await expectFree(until);
    });

    it('is free once its job has expired', async () => {
      const holder = await scene.enqueue({ rules: { ...unique(until), ...expiresIn(500) } });
      await expectTaken(until, holder);
      blockPast(holder.rules!.expiresAt! + 1);
      await expectFree(until);
    });

    it('is free once its job is removed', async () => {
      const holder = await scene.enqueue({ rules: unique(until) });
      await scene.engine.remove([holder]);
      await expectFree(until);
    });

    it('stays with the later job when the earlier one is removed', async () => {
      const earlier = await scene.jobIn('cancelled', { rules: unique(until) });
      const later = await scene.enqueue({ rules: unique(until) });
      await scene.engine.remove([earlier]);
      await expectTaken(until, later);
    });

    it('is told to whoever runs or finds the job', async () => {
      const job = await scene.enqueue({ rules: unique(until) });
      const { started } = scene.answer([completed()]);
      await scene.settlement(job);
      expect(started[0].rules).toEqual(unique(until));
      expect((await scene.known(job)).rules).toEqual(unique(until));
    });
  });

  describe('a unique key until started', () => {
    it('is free once its job runs', async () => {
      await scene.jobIn('active', { rules: unique('started') });
      await expectFree('started');
    });

    it.each([
      ['retry', retry(KEEP)],
      ['snooze', snooze(KEEP)],
    ])('is not taken again by a %s', async (_type, outcome) => {
      const job = await scene.enqueue({ rules: unique('started') });
      scene.answer([outcome], { concurrency: 1 });
      await scene.becomes(job, 'delayed');
      await expectFree('started');
    });

    it('stays with the next job when the one before it goes back or ends', async () => {
      await scene.enqueue({ rules: unique('started') });
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      const next = await scene.jobIn('delayed', { rules: unique('started') });
      run.tell(retry(0));
      const again = await held.started(2);
      await expectTaken('started', next);
      again.tell(failed());
      await scene.becomes(again.job, 'failed');
      await expectTaken('started', next);
    });
  });

  describe('a unique key until finished', () => {
    it('is taken while its job runs and waits for its retry', async () => {
      const job = await scene.enqueue({ rules: unique('finished') });
      const held = scene.hold();
      const run = await held.started(1);
      await expectTaken('finished', job);
      run.tell(retry(KEEP));
      await scene.becomes(job, 'delayed');
      await expectTaken('finished', job);
    });

    it.each([
      ['completed', completed('1')],
      ['completed and forgotten', completed('1', 0)],
      ['failed', failed()],
      ['failed and forgotten', failed(undefined, { age: 0, count: 0 })],
    ])('is free once its job is %s', async (_how, outcome) => {
      const job = await scene.enqueue({ rules: unique('finished') });
      scene.answer([outcome, retry(KEEP)]);
      await scene.settlement(job);
      await expectFree('finished');
    });

    it('is free once its running job is cancelled', async () => {
      const job = await scene.jobIn('active', { rules: unique('finished') });
      await scene.engine.cancel([job]);
      await expectFree('finished');
    });

    it('stays with the next job when the run of the cancelled one ends', async () => {
      const job = await scene.enqueue({ rules: unique('finished') });
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      await scene.engine.cancel([job]);
      const next = await scene.jobIn('delayed', { rules: unique('finished') });
      run.tell(completed());
      await scene.roundTrip();
      await expectTaken('finished', next);
    });
  });

  describe('a unique key until a time is over', () => {
    it('is taken for that time, though its job has ended', async () => {
      const job = await scene.jobIn('completed', { rules: unique(KEEP) });
      await expectTaken(KEEP, job);
      const other = await scene.jobIn('failed', { rules: unique(KEEP, 'return', 'Mail.send:bob') });
      expect(await enqueueAnother(KEEP, { rules: unique(KEEP, 'return', 'Mail.send:bob') })).toEqual({
        id: other.id,
        deduplicated: true,
      });
    });

    it.each(['waiting', 'delayed', 'active'] as const)('is free after it, though its job is %s', async (state) => {
      const job = await scene.jobIn(state, { rules: unique(500) });
      await expectTaken(500, job);
      await scene.passed(job.enqueuedAt + 700);
      await expectFree(500);
      expect(await scene.engine.state(job)).toBe(state);
    });

    it('is free once its running job is cancelled, and once its ended job is removed', async () => {
      const ended = await scene.jobIn('completed', { rules: unique(KEEP) });
      await scene.engine.remove([ended]);
      const running = await scene.jobIn('active', { rules: unique(KEEP) });
      await expectTaken(KEEP, running);
      await scene.engine.cancel([running]);
      await expectFree(KEEP);
    });
  });

  describe('a taken key of which a call wants to be told', () => {
    const rejecting = unique('finished', 'reject');

    it('refuses it with the job that has the key', async () => {
      const holder = await scene.enqueue({ rules: unique() });
      const other = scene.job({ rules: rejecting });
      const refused = scene.engine.enqueue([other]);
      await expect(refused).rejects.toThrow(DuplicateJobError);
      await expect(refused).rejects.toMatchObject({ jobId: holder.id });
      expect(await scene.engine.state(other)).toBe('unknown');
      await scene.expectCounts({ waiting: 1 });
    });

    it('lets none of the jobs of the call be stored or replaced', async () => {
      const [replaceable, holder] = [unique('finished', 'return', 'Mail.send:bob'), unique()];
      await scene.engine.enqueue([scene.job({ rules: replaceable }), scene.job({ rules: holder })]);
      const jobs = [
        scene.job({ queue: 'mail' }),
        scene.job({ rules: unique('finished', 'return', 'Mail.send:cid') }),
        scene.job({ rules: unique('finished', 'replace', 'Mail.send:bob') }),
        scene.job({ rules: rejecting }),
        scene.job({ rules: atMost(1), dueAt: Date.now() + KEEP }),
      ];
      await expect(scene.engine.enqueue(jobs)).rejects.toThrow(DuplicateJobError);
      await scene.expectCounts({ waiting: 2 });
      await scene.expectCounts({}, 'mail');
      const free = await enqueueAnother('finished', { rules: unique('finished', 'return', 'Mail.send:cid') });
      expect(free.deduplicated).toBe(false);
    });

    it('refuses two jobs of one key in one call', async () => {
      const [first, second] = scene.jobs(2, { rules: rejecting });
      const refused = scene.engine.enqueue([first, second]);
      await expect(refused).rejects.toThrow(DuplicateJobError);
      await expect(refused).rejects.toMatchObject({ jobId: first.id });
      await scene.expectCounts({});
      await expectFree('finished');
    });

    it('refuses all but one of many callers', async () => {
      const jobs = scene.jobs(30, { rules: rejecting });
      const answers = await Promise.allSettled(jobs.map((job) => scene.engine.enqueue([job])));
      const stored = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      expect(stored).toHaveLength(1);
      const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
      for (const error of refused) expect(error).toMatchObject({ code: 'TASKS_DUPLICATE_JOB', jobId: stored[0].id });
      await scene.expectCounts({ waiting: 1 });
    });
  });

  describe('the policies of two jobs with one key', () => {
    it('are those of the later one', async () => {
      const holder = await scene.enqueue({ rules: unique('finished', 'replace') });
      await expectTaken('finished', holder);
      await expect(enqueueAnother('finished', { rules: unique('finished', 'reject') })).rejects.toThrow(
        DuplicateJobError,
      );
      const newer = await enqueueAnother('finished', { rules: unique('finished', 'replace') });
      expect(newer.deduplicated).toBe(false);
      expect(await scene.engine.state(holder)).toBe('cancelled');
    });
  });

  describe('an id that is known, of a job with a unique key', () => {
    it('is looked at first, so that nothing is refused or replaced', async () => {
      const holder = await scene.enqueue({ rules: unique() });
      for (const onConflict of ['return', 'reject', 'replace'] as const) {
        const again = await enqueueAnother('finished', { id: holder.id, rules: unique('finished', onConflict) });
        expect(again).toEqual({ id: holder.id, deduplicated: true });
      }
      await scene.expectCounts({ waiting: 1 });
    });

    it('takes no other key', async () => {
      const plain = await scene.enqueue();
      expect(await enqueueAnother('finished', { id: plain.id })).toEqual({ id: plain.id, deduplicated: true });
      await expectFree('finished');
    });
  });
}
