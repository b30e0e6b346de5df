import { describe, expect, it } from 'vitest';
import { UnknownQueueError } from '../../../lib/contracts/errors.js';
import { eventually } from '../../support/eventually.js';
import { completed, idsOf, type Scene } from '../scene.js';

export function enqueueCases(scene: Scene): void {
  describe('enqueue', () => {
    it('answers the id of one job', async () => {
      expect(await scene.engine.enqueue([scene.job({ id: 'one' })])).toEqual([{ id: 'one', deduplicated: false }]);
    });

    it('answers the ids of many jobs in their order', async () => {
      const jobs = scene.jobs(20);
      const answer = await scene.engine.enqueue(jobs);
      expect(idsOf(answer)).toEqual(idsOf(jobs));
      expect(answer.every((job) => !job.deduplicated)).toBe(true);
    });

    it('answers nothing to an empty list', async () => {
      expect(await scene.engine.enqueue([])).toEqual([]);
      expect((await scene.engine.counts('default')).waiting).toBe(0);
    });

    it('stores the jobs of several queues together', async () => {
      await scene.engine.enqueue([scene.job(), scene.job({ queue: 'mail' }), scene.job({ queue: 'mail' })]);
      expect((await scene.engine.counts('default')).waiting).toBe(1);
      expect((await scene.engine.counts('mail')).waiting).toBe(2);
    });

    it('stores none of the jobs when one of them names an undeclared queue', async () => {
      const jobs = [scene.job(), scene.job({ queue: 'nowhere' }), scene.job()];
      await expect(scene.engine.enqueue(jobs)).rejects.toThrow(UnknownQueueError);
      expect((await scene.engine.counts('default')).waiting).toBe(0);
      expect(await scene.engine.state({ id: jobs[0].id, queue: 'default' })).toBe('unknown');
    });

    it('stores a large batch, and each of its jobs runs once', async () => {
      const jobs = scene.jobs(1_000);
      await scene.engine.enqueue(jobs);
      const { started } = scene.answer([completed()], { concurrency: 50 });
      await eventually(async () => expect((await scene.engine.counts('default')).completed).toBe(1_000));
      expect(idsOf(started).toSorted()).toEqual(idsOf(jobs).toSorted());
    });

    it('takes a job from many callers at a time', async () => {
      const jobs = scene.jobs(100);
      await Promise.all(jobs.map((job) => scene.engine.enqueue([job])));
      expect((await scene.engine.counts('default')).waiting).toBe(100);
    });
  });

  describe('an id that is known already', () => {
    it('keeps the earlier job and tells so', async () => {
      await scene.enqueue({ id: 'same', args: '["earlier"]' });
      const answer = await scene.engine.enqueue([scene.job({ id: 'same', args: '["later"]' })]);
      expect(answer).toEqual([{ id: 'same', deduplicated: true }]);
      expect((await scene.known({ id: 'same' })).args).toBe('["earlier"]');
      expect((await scene.engine.counts('default')).waiting).toBe(1);
    });

    it('does not keep the other jobs of its batch from being stored', async () => {
      await scene.enqueue({ id: 'same' });
      const answer = await scene.engine.enqueue([
        scene.job({ id: 'a' }),
        scene.job({ id: 'same' }),
        scene.job({ id: 'b' }),
      ]);
      expect(answer.map((job) => job.deduplicated)).toEqual([false, true, false]);
      expect((await scene.engine.counts('default')).waiting).toBe(3);
    });

    it('is stored once when it comes twice in one batch', async () => {
      const twins = [scene.job({ id: 'twin', args: '[1]' }), scene.job({ id: 'twin', args: '[2]' })];
      expect((await scene.engine.enqueue(twins)).map((job) => job.deduplicated)).toEqual([false, true]);
      expect((await scene.known({ id: 'twin' })).args).toBe('[1]');
    });

    it('is stored once when many callers send it at a time', async () => {
      const calls = Array.from({ length: 50 }, () => scene.engine.enqueue([scene.job({ id: 'same' })]));
      const answers = (await Promise.all(calls)).flat();
      expect(answers.filter((job) => !job.deduplicated)).toHaveLength(1);
      expect((await scene.engine.counts('default')).waiting).toBe(1);
    });

    it('names another job in another queue', async () => {
      const inDefault = scene.job({ id: 'same', args: '["default"]' });
      const inMail = scene.job({ id: 'same', args: '["mail"]', queue: 'mail' });
      const answer = await scene.engine.enqueue([inDefault, inMail]);
      expect(answer.map((job) => job.deduplicated)).toEqual([false, false]);
      expect((await scene.known({ id: 'same', queue: 'default' })).args).toBe('["default"]');
      expect((await scene.known({ id: 'same', queue: 'mail' })).args).toBe('["mail"]');
    });

    it('is known while the job is delayed', async () => {
      await scene.enqueue({ id: 'same', dueAt: Date.now() + 60_000 });
      expect(await scene.engine.enqueue([scene.job({ id: 'same' })])).toEqual([{ id: 'same', deduplicated: true }]);
      expect(await scene.engine.state({ id: 'same', queue: 'default' })).toBe('delayed');
    });

    it('is known while the job runs', async () => {
      await scene.enqueue({ id: 'same' });
      const held = scene.hold();
      await held.started(1);
      expect(await scene.engine.enqueue([scene.job({ id: 'same' })])).toEqual([{ id: 'same', deduplicated: true }]);
    });

    it('is known while the completed job is kept', async () => {
      const job = await scene.enqueue({ id: 'same' });
      scene.answer([completed()]);
      await scene.settlement(job);
      expect(await scene.engine.enqueue([scene.job({ id: 'same' })])).toEqual([{ id: 'same', deduplicated: true }]);
      expect(await scene.engine.state({ id: 'same', queue: 'default' })).toBe('completed');
    });

    it('is free again when nothing of the job was kept', async () => {
      const job = await scene.enqueue({ id: 'same' });
      const { started } = scene.answer([completed(undefined, 0)]);
      await scene.settlement(job);
      await scene.becomes(job, 'unknown');
      expect(await scene.engine.enqueue([scene.job({ id: 'same' })])).toEqual([{ id: 'same', deduplicated: false }]);
      await eventually(() => expect(started).toHaveLength(2));
    });
  });

  describe('a delayed job', () => {
    it('is delayed, and says until when', async () => {
      const dueAt = Date.now() + 60_000;
      const job = await scene.enqueue({ dueAt });
      expect(await scene.known(job)).toMatchObject({ state: 'delayed', dueAt });
    });

    it('starts when it is due, and not before', async () => {
      const dueAt = Date.now() + 300;
      const job = await scene.enqueue({ dueAt });
      scene.answer([completed()]);
      await scene.settlement(job);
      expect((await scene.known(job)).startedAt).toBeGreaterThanOrEqual(dueAt);
    });

    it('starts when it is due although no other job comes by', async () => {
      const { started } = scene.answer([completed()]);
      const job = await scene.enqueue({ dueAt: Date.now() + 100 });
      await scene.settlement(job);
      expect(idsOf(started)).toEqual([job.id]);
    });

    it('lets jobs pass that are due at once', async () => {
      const later = await scene.enqueue({ dueAt: Date.now() + 1_000 });
      const atOnce = await scene.enqueue();
      const { started } = scene.answer([completed()]);
      await scene.settlement(later);
      expect(idsOf(started)).toEqual([atOnce.id, later.id]);
    });

    it('does not wait for one that was stored before it and is due later', async () => {
      const late = await scene.enqueue({ dueAt: Date.now() + 60_000 });
      const early = await scene.enqueue({ dueAt: Date.now() + 100 });
      scene.answer([completed()]);
      await scene.settlement(early);
      expect(await scene.engine.state(late)).toBe('delayed');
    });

    it('comes before one that is due later, whichever was stored first', async () => {
      const now = Date.now();
      const late = await scene.enqueue({ dueAt: now + 600 });
      const early = await scene.enqueue({ dueAt: now + 200 });
      const { started } = scene.answer([completed()]);
      await scene.settlement(late);
      expect(idsOf(started)).toEqual([early.id, late.id]);
    });

    it('starts at once when its instant has passed', async () => {
      const job = await scene.enqueue({ dueAt: Date.now() - 60_000 });
      expect(await scene.engine.state(job)).toBe('waiting');
      scene.answer([completed()]);
      expect((await scene.settlement(job)).state).toBe('completed');
    });

    it('stays delayed for years without harm', async () => {
      const { started } = scene.answer([completed()]);
      const job = await scene.enqueue({ dueAt: Date.now() + 10 * 365 * 24 * 60 * 60 * 1_000 });
      await scene.settlement(await scene.enqueue());
      expect(await scene.engine.state(job)).toBe('delayed');
      expect(started).toHaveLength(1);
    });
  });

  describe('what a job carries', () => {
    it('arrives at the worker as it was sent', async () => {
      const job = await scene.enqueue({
        task: 'Images.resize',
        args: '[{"width":10},null,"x"]',
        options: {
          attempts: 5,
          timeout: false,
          keepResult: 0,
          backoff: { type: 'exponential', delay: 1_000, factor: 2, max: 60_000, jitter: 0.2 },
        },
        metadata: { tenant: 'acme' },
      });
      const held = scene.hold();
      const run = await held.started(1);
      expect(run.job).toEqual({
        id: job.id,
        queue: 'default',
        task: 'Images.resize',
        args: '[{"width":10},null,"x"]',
        options: job.options,
        metadata: { tenant: 'acme' },
        enqueuedAt: job.enqueuedAt,
        attemptsMade: 0,
        crashes: 0,
        runs: [],
      });
    });

    it('can be read while the job waits', async () => {
      const job = await scene.enqueue({ args: '[1]', options: { attempts: 2, timeout: 500 }, metadata: { a: 'b' } });
      expect(await scene.known(job)).toEqual({
        id: job.id,
        queue: 'default',
        task: job.task,
        state: 'waiting',
        args: '[1]',
        options: { attempts: 2, timeout: 500 },
        metadata: { a: 'b' },
        enqueuedAt: job.enqueuedAt,
        runs: [],
        attemptsMade: 0,
        crashes: 0,
        logs: [],
      });
    });

    it('is the job of that instant, whatever the caller does to its object afterwards', async () => {
      const job = scene.job({ options: { attempts: 2 }, metadata: { a: 'b' } });
      await scene.engine.enqueue([job]);
      job.options.attempts = 99;
      (job.metadata as Record<string, string>).a = 'changed';
      expect(await scene.known(job)).toMatchObject({ options: { attempts: 2 }, metadata: { a: 'b' } });
    });

    it('may be empty', async () => {
      const job = await scene.enqueue({ args: '[]', options: {} });
      const run = await scene.hold().started(1);
      expect(run.job).toMatchObject({ id: job.id, args: '[]', options: {}, metadata: {} });
    });

    it('may be in any script, with quotes, newlines and zero bytes', async () => {
      const text = 'Zoë 日本語 🎉 \u2028 "quoted" \\ \n \0 \u{1F468}\u200D\u{1F469}';
      const args = JSON.stringify([text]);
      const job = await scene.enqueue({ id: 'jøb-日本', task: 'Mäil.sénd', args, metadata: { 'schlüssel 🎉': text } });
      const run = await scene.hold().started(1);
      expect(run.job).toMatchObject({ id: 'jøb-日本', task: 'Mäil.sénd', args, metadata: { 'schlüssel 🎉': text } });
      expect((await scene.known(job)).args).toBe(args);
    });

    it('may be 100 kB', async () => {
      const args = JSON.stringify(['x'.repeat(100_000)]);
      const job = await scene.enqueue({ args });
      const run = await scene.hold().started(1);
      expect(run.job.args).toBe(args);
      run.tell(completed(args));
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: args });
    });

    it('may have arguments that are no JSON: they are passed on as they are', async () => {
      const job = await scene.enqueue({ args: '{"broken' });
      const run = await scene.hold().started(1);
      expect(run.job.args).toBe('{"broken');
      expect((await scene.known(job)).args).toBe('{"broken');
    });
  });
}
