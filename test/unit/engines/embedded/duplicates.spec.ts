import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../../lib/contracts/engine.js';
import { DuplicateJobError } from '../../../../lib/contracts/errors.js';
import type { OnConflict } from '../../../../lib/contracts/job.js';
import { refuseDuplicates, type KnownKeys } from '../../../../lib/engines/embedded/duplicates.js';
import { newJob } from '../../../support/new-job.js';

const NOW = 1_000_000;

function queue(holders: Readonly<Record<string, string>> = {}, ids: readonly string[] = []): KnownKeys {
  return {
    isKnown: (id) => ids.includes(id),
    holderOf: (key) => (key in holders ? { id: holders[key] } : undefined),
  };
}

function unique(id: string, onConflict: OnConflict, expiresAt?: number): NewJob {
  return newJob(id, { rules: { unique: { key: 'key', until: 'finished', onConflict }, expiresAt } });
}

function refusal(jobs: readonly NewJob[], queues: readonly KnownKeys[]): string | undefined {
  try {
    refuseDuplicates(jobs, queues, { now: () => NOW });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(DuplicateJobError);
    return (error as DuplicateJobError).jobId;
  }
}

/** All jobs to one queue. */
function refusalBy(known: KnownKeys, ...jobs: NewJob[]): string | undefined {
  return refusal(
    jobs,
    jobs.map(() => known),
  );
}

describe('a call with a job that is to be refused when its key is taken', () => {
  it('names the job that has the key', () => {
    expect(refusalBy(queue({ key: 'holder' }), newJob('plain'), unique('new', 'reject'))).toBe('holder');
  });

  it('is refused for an earlier job of the same call', () => {
    expect(refusalBy(queue(), unique('a', 'reject'), unique('b', 'reject'))).toBe('a');
    expect(refusalBy(queue(), unique('a', 'return'), unique('b', 'reject'))).toBe('a');
    expect(refusalBy(queue({ key: 'holder' }), unique('a', 'replace'), unique('b', 'reject'))).toBe('a');
  });

  it('is accepted when the key is free', () => {
    expect(refusalBy(queue({ other: 'holder' }), unique('a', 'reject'), newJob('plain'))).toBeUndefined();
  });

  it('is accepted when the id is known, whatever the key', () => {
    expect(refusalBy(queue({ key: 'a' }, ['a']), unique('a', 'reject'))).toBeUndefined();
    expect(refusalBy(queue(), unique('a', 'reject'), unique('a', 'reject'))).toBeUndefined();
  });

  it('is accepted when the earlier job of the call has expired already', () => {
    expect(refusalBy(queue(), unique('a', 'reject', NOW), unique('b', 'reject'))).toBeUndefined();
  });

  it('counts keys by queue', () => {
    expect(refusal([unique('a', 'reject'), unique('b', 'reject')], [queue(), queue()])).toBeUndefined();
  });
});

describe('a call whose jobs have keys that may be taken', () => {
  it('is accepted', () => {
    expect(refusalBy(queue({ key: 'holder' }), unique('a', 'return'), unique('b', 'replace'))).toBeUndefined();
  });
});
