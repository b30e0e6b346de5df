import { describe, expect, it } from 'vitest';
import type { JobRules } from '../../../../lib/contracts/job.js';
import { UniqueKeys } from '../../../../lib/engines/embedded/unique-keys.js';
import { Clock, embeddedJob } from './jobs.js';

type Until = NonNullable<JobRules['unique']>['until'];

function unique(until: Until, key = 'key'): JobRules {
  return { unique: { key, until, onConflict: 'return' } };
}

function taken(until: Until) {
  const clock = new Clock();
  const keys = new UniqueKeys(clock);
  const job = embeddedJob('a', unique(until));
  keys.take(job);
  return { clock, keys, job, holder: () => keys.holderOf('key')?.id };
}

describe('a unique key until the job has started', () => {
  it('is free once it has', () => {
    const { keys, job, holder } = taken('started');
    expect(holder()).toBe('a');
    keys.started(job);
    expect(holder()).toBeUndefined();
  });

  it('is taken again when the start was none, unless another has it by then', () => {
    const { keys, job, holder } = taken('started');
    keys.started(job);
    keys.declined(job, job.rules);
    expect(holder()).toBe('a');
    keys.started(job);
    keys.take(embeddedJob('b', unique('started')));
    keys.declined(job, job.rules);
    expect(holder()).toBe('b');
  });
});

describe('a unique key until the job has finished', () => {
  it.each(['completed', 'failed', 'cancelled', 'expired'] as const)('is free once it has %s', (state) => {
    const { keys, job, holder } = taken('finished');
    keys.started(job);
    expect(holder()).toBe('a');
    keys.ended(job, state);
    expect(holder()).toBeUndefined();
  });

  it('stays with a job that has taken it over', () => {
    const { keys, job, holder } = taken('finished');
    keys.take(embeddedJob('b', unique('finished')));
    keys.ended(job, 'completed');
    expect(holder()).toBe('b');
  });
});

describe('a unique key for a time', () => {
  it('is free when the time is over, and not when the job has ended or is forgotten', () => {
    const { clock, keys, job, holder } = taken(100);
    keys.started(job);
    keys.ended(job, 'completed');
    keys.forgotten(job);
    clock.time += 99;
    expect(holder()).toBe('a');
    expect(keys.holderOf('key')?.job).toBeUndefined();
    clock.time += 1;
    expect(holder()).toBeUndefined();
    keys.close();
  });

  it.each(['cancelled', 'expired'] as const)('is free at once when the job is %s', (state) => {
    const { keys, job, holder } = taken(100);
    keys.ended(job, state);
    expect(holder()).toBeUndefined();
  });

  it('is no longer waited for once another has it', () => {
    const { clock, keys, holder } = taken(100);
    keys.take(embeddedJob('b', unique('finished')));
    clock.time += 200;
    expect(holder()).toBe('b');
  });
});

describe('the unique key of a job that gets other rules', () => {
  it('is exchanged for the new one', () => {
    const { keys, job } = taken('finished');
    const former = job.rules;
    job.rules = unique('finished', 'other');
    keys.declined(job, former);
    expect(keys.holderOf('key')).toBeUndefined();
    expect(keys.holderOf('other')?.id).toBe('a');
  });

  it('is freed as they say', () => {
    const { clock, keys, job, holder } = taken('finished');
    const former = job.rules;
    job.rules = unique(100);
    keys.declined(job, former);
    keys.ended(job, 'completed');
    expect(holder()).toBe('a');
    clock.time += 100;
    expect(holder()).toBeUndefined();
    keys.close();
  });

  it('stays when they have the same', () => {
    const { keys, job, holder } = taken('finished');
    const former = job.rules;
    job.rules = { ...unique('finished'), priority: 'low' };
    keys.declined(job, former);
    expect(holder()).toBe('a');
  });
});

describe('whether a key is free for a job', () => {
  it('is true for the one that has it, and for one that wants none', () => {
    const { keys, job } = taken('finished');
    expect(keys.isFreeFor(job)).toBe(true);
    expect(keys.has(job)).toBe(true);
    expect(keys.isFreeFor(embeddedJob('b'))).toBe(true);
    expect(keys.isFreeFor(embeddedJob('c', unique('finished')))).toBe(false);
    expect(keys.has(embeddedJob('c', unique('finished')))).toBe(false);
  });
});
