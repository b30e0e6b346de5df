import { describe, expect, it } from 'vitest';
import type { JobQuery, KnownState } from '../../../../lib/contracts/engine.js';
import { InvalidOptionsError } from '../../../../lib/contracts/errors.js';
import type { EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { listJobs, type ListedJobs } from '../../../../lib/engines/embedded/job-listing.js';
import { Line } from '../../../../lib/engines/embedded/line.js';
import { embeddedJob, idsOf } from './jobs.js';

/** Waiting and failed jobs, in the order of their coming. */
class Source implements ListedJobs {
  readonly lines = { waiting: new Line<EmbeddedJob>(), failed: new Line<EmbeddedJob>() };
  private readonly jobs: EmbeddedJob[] = [];

  add(state: 'waiting' | 'failed', ...ids: string[]): void {
    for (const id of ids) {
      const job = embeddedJob(id);
      job.state = state;
      this.lines[state].push(job);
      this.jobs.push(job);
    }
  }

  inState(state: KnownState): Iterable<EmbeddedJob> {
    if (state === 'waiting') return this.lines.waiting;
    return state === 'failed' ? this.lines.failed.backwards() : [];
  }

  tagged(): Iterable<EmbeddedJob> {
    return this.jobs.toReversed();
  }
}

function filled(): Source {
  const source = new Source();
  source.add('waiting', 'w1', 'w2', 'w3');
  source.add('failed', 'f1', 'f2', 'f3');
  return source;
}

function pages(source: Source, query: Partial<JobQuery>): string[][] {
  const read: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = listJobs(source, { queue: 'default', limit: 2, ...query, ...(cursor !== undefined && { cursor }) });
    read.push(idsOf(page.jobs));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return read;
}

describe('a list of jobs', () => {
  it('has the jobs of one state, page by page', () => {
    expect(pages(filled(), { state: 'waiting' })).toEqual([['w1', 'w2'], ['w3']]);
    expect(pages(filled(), { state: 'failed' })).toEqual([['f3', 'f2'], ['f1']]);
    expect(pages(filled(), { state: 'active' })).toEqual([[]]);
  });

  it('has all states one after the other, also within a page', () => {
    expect(pages(filled(), {})).toEqual([
      ['w1', 'w2'],
      ['w3', 'f3'],
      ['f2', 'f1'],
    ]);
  });

  it('puts the jobs of a tag into the same order', () => {
    expect(pages(filled(), { tag: 'ada' })).toEqual(pages(filled(), {}));
  });

  it('goes on behind a job that has gone, and meets none twice that came before it', () => {
    const source = filled();
    const { cursor } = listJobs(source, { queue: 'default', state: 'failed', limit: 2 });
    source.lines.failed.remove([...source.lines.failed][1]);
    source.add('failed', 'f4');
    const { jobs } = listJobs(source, { queue: 'default', state: 'failed', limit: 2, cursor });
    expect(idsOf(jobs)).toEqual(['f1']);
  });

  it.each(['', 'nonsense', 'waiting', 'waiting 1', 'waiting 1 x', 'unknown 1 2'])(
    'refuses a cursor that it did not make: %j',
    (cursor) => {
      expect(() => listJobs(filled(), { queue: 'default', limit: 2, cursor })).toThrow(InvalidOptionsError);
    },
  );
});
