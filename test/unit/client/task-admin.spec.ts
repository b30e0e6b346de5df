import { beforeEach, describe, expect, it } from 'vitest';
import { TaskAdmin } from '../../../lib/client/task-admin.js';
import { InvalidOptionsError, UnknownQueueError } from '../../../lib/contracts/errors.js';
import type { JobRecord } from '../../../lib/contracts/job.js';
import { FakeEngine, registryOf, settings } from './fake-engine.js';

let engine: FakeEngine;
let admin: TaskAdmin;

beforeEach(() => {
  engine = new FakeEngine();
  const registry = registryOf({ name: 'Mail.send', options: { attempts: 7 } });
  admin = new TaskAdmin(engine, () => registry, settings);
});

function record(count: number, changes: Partial<JobRecord>, prefix = 'job'): void {
  for (let index = 0; index < count; index++) engine.record(`${prefix}-${index}`, changes);
}

describe('TaskAdmin.counts', () => {
  beforeEach(() => {
    record(2, { state: 'failed', queue: 'mail' });
    record(1, { state: 'failed' }, 'other');
  });

  it('sums up every declared queue', async () => {
    expect(await admin.counts()).toEqual({
      waiting: 0,
      delayed: 0,
      active: 0,
      completed: 0,
      failed: 3,
      cancelled: 0,
      expired: 0,
    });
  });

  it('counts one queue, which has to be declared', async () => {
    expect(await admin.counts('mail')).toMatchObject({ failed: 2 });
    await expect(admin.counts('mial')).rejects.toThrow(/'mial' of counts\(\).*Did you mean 'mail'/);
  });
});

describe('TaskAdmin.list', () => {
  it('answers everything known about jobs', async () => {
    record(1, { state: 'failed', error: { name: 'Error', message: 'no route' } });
    expect(await admin.list()).toEqual({
      jobs: [
        expect.objectContaining({
          id: 'job-0',
          args: ['a'],
          attempts: 7,
          error: { name: 'Error', message: 'no route' },
        }),
      ],
    });
  });

  it('answers 50 jobs a page, the queues one after the other, each job once', async () => {
    record(60, { queue: 'default' }, 'a');
    record(60, { queue: 'mail' }, 'b');
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await admin.list({ cursor });
      pages.push(page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor);
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(new Set(pages.flat()).size).toBe(120);
    expect(pages[1][10]).toBe('b-0');
  });

  it('lets the engine look for queue, state and tag', async () => {
    await admin.list({ queue: 'mail', state: 'failed', tag: 'import', limit: 5 });
    expect(engine.queries).toEqual([{ queue: 'mail', state: 'failed', tag: 'import', cursor: undefined, limit: 5 }]);
  });

  it('goes on within a page of the engine where few of its jobs match', async () => {
    for (let index = 0; index < 100; index++) engine.record(`job-${index}`, { task: index % 3 ? 'other' : 'wanted' });
    const first = await admin.list({ task: 'wanted', limit: 30 });
    const second = await admin.list({ task: 'wanted', limit: 30, cursor: first.cursor });
    expect([first.jobs.length, second.jobs.length, second.cursor]).toEqual([30, 4, undefined]);
    expect(second.jobs[0].id).toBe('job-90');
  });

  it('looks at 10,000 jobs at most and then answers where to go on', async () => {
    record(10_001, { task: 'other' });
    engine.record('wanted', { task: 'wanted' });
    const first = await admin.list({ task: 'wanted' });
    expect(first.jobs).toEqual([]);
    expect(engine.queries.reduce((sum, { limit }) => sum + limit, 0)).toBe(10_000);
    const second = await admin.list({ task: 'wanted', cursor: first.cursor });
    expect(second.jobs.map(({ id }) => id)).toEqual(['wanted']);
    expect(second.cursor).toBeUndefined();
  });

  it.each([
    [{ limit: 0 }, /limit is 0. Give a whole number from 1 to 1000/],
    [{ limit: 1_001 }, /limit is 1001/],
    [{ cursor: '' }, /cursor is ''/],
    [{ cursor: 'next' }, /cursor of list\(\) is not one that list\(\) answered/],
    [{ cursor: Buffer.from('{"queue":"mail","skip":-1}').toString('base64url') }, /is not one that list\(\) answered/],
    [{ cursor: Buffer.from('{"queue":"none","skip":0}').toString('base64url') }, /is not one that list\(\) answered/],
    [{ queue: 'slow', cursor: Buffer.from('{"queue":"mail","skip":0}').toString('base64url') }, /for this filter/],
    [{ state: 'unknown' }, /state is 'unknown'/],
    [{ sate: 'failed' }, /Did you mean 'state'/],
  ])('refuses %j', async (filter, message) => {
    await expect(admin.list(filter as never)).rejects.toThrow(InvalidOptionsError);
    await expect(admin.list(filter as never)).rejects.toThrow(message);
  });

  it('refuses an undeclared queue', async () => {
    await expect(admin.list({ queue: 'mial' })).rejects.toThrow(UnknownQueueError);
  });
});

describe('TaskAdmin.retry, remove and move', () => {
  it('act on one job by its id, in whatever queue it is', async () => {
    engine.record('one', { state: 'failed', queue: 'mail' });
    expect(await admin.retry('one')).toBe(1);
    expect(await admin.retry('one')).toBe(0);
    expect(await admin.move('one', 'slow')).toBe(1);
    expect(await admin.remove('one')).toBe(1);
    expect(await admin.remove('one')).toBe(0);
    expect(engine.actions.map(({ name }) => name)).toEqual(['retry', 'retry', 'move', 'remove', 'remove']);
    expect(engine.actions[2]).toMatchObject({ toQueue: 'slow' });
  });

  it('act on jobs in the states that they can act on', async () => {
    const states = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'expired'] as const;
    const acted = async (act: () => Promise<number>) => {
      engine.records.clear();
      for (const state of states) engine.record(state, { state, rules: { tags: ['a'] } });
      engine.actions.length = 0;
      const count = await act();
      const ids = engine.actions.flatMap((action) => action.ids);
      expect(count).toBe(ids.length);
      return ids;
    };
    for (const filter of [{ tag: 'a' }, { queue: 'default' }]) {
      expect(await acted(() => admin.retry(filter))).toEqual(['failed', 'cancelled', 'expired']);
      expect(await acted(() => admin.remove(filter))).toEqual(states.filter((state) => state !== 'active'));
      const movable = states.filter((state) => state !== 'active' && state !== 'completed');
      expect(await acted(() => admin.move(filter, 'mail'))).toEqual(movable);
    }
    expect(await acted(() => admin.remove({ state: 'expired' }))).toEqual(['expired']);
  });

  it('go through 100 jobs at a time and tell how far they are', async () => {
    record(250, { state: 'failed' });
    const progress: unknown[] = [];
    expect(await admin.retry({ state: 'failed' }, { onProgress: (one) => progress.push(one) })).toBe(250);
    expect(engine.actions.map(({ ids }) => ids.length)).toEqual([100, 100, 50]);
    expect(progress).toEqual([100, 200, 250].map((done) => ({ done, total: 250 })));
  });

  it('leave out what comes to match meanwhile', async () => {
    record(150, { state: 'failed' });
    const onProgress = () => engine.record('late', { state: 'failed' });
    expect(await admin.retry({ state: 'failed' }, { onProgress })).toBe(150);
    expect(engine.records.get('late')?.state).toBe('failed');
  });

  it('stop between two batches with the reason of the signal', async () => {
    record(250, { state: 'failed' });
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    const retried = admin.retry({ state: 'failed' }, { signal: controller.signal, onProgress });
    await expect(retried).rejects.toThrow('enough');
    expect(engine.actions).toHaveLength(1);
    expect(await admin.retry({ state: 'failed' })).toBe(150);
  });

  it('do nothing with a signal that is aborted', async () => {
    engine.record('one', { state: 'failed' });
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(admin.retry({ state: 'failed' }, { signal })).rejects.toThrow('too late');
    await expect(admin.retry('one', { signal })).rejects.toThrow('too late');
    expect([...engine.queries, ...engine.actions]).toEqual([]);
  });

  it('move nothing within its own queue', async () => {
    record(1, { state: 'waiting', queue: 'mail' });
    expect(await admin.move({ state: 'waiting' }, 'mail')).toBe(0);
    expect(engine.actions).toEqual([]);
  });

  it.each([
    ['an empty filter', () => admin.retry({}), /retry\(\) has an empty filter/],
    ['an empty id', () => admin.remove(''), /remove\(\) got an empty id/],
    ['a state that cannot be acted on', () => admin.retry({ state: 'completed' }), /state 'completed'/],
    ['a running job', () => admin.remove({ state: 'active' }), /state 'active'/],
    ['an undeclared queue', () => admin.remove({ queue: 'mial' }), /Did you mean 'mail'/],
    ['an undeclared queue to move to', () => admin.move('one', 'mial'), /'mial' of move\(\)/],
    ['an unknown option', () => admin.retry('one', { onProgres: 1 } as never), /Did you mean 'onProgress'/],
    [
      'a signal that is none',
      () => admin.retry('one', { signal: {} } as never),
      /signal is Object. Give an AbortSignal/,
    ],
  ])('refuse %s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
    expect(engine.actions).toEqual([]);
  });
});
