import { describe, expect, it } from 'vitest';
import { Tags } from '../../../../lib/engines/embedded/tags.js';
import { embeddedJob, idsOf } from './jobs.js';

describe('Tags', () => {
  it('find the jobs that have them, until these are removed', () => {
    const tags = new Tags();
    const [both, one, none] = [
      embeddedJob('both', { tags: ['ada', 'monthly'] }),
      embeddedJob('one', { tags: ['ada', 'ada'] }),
      embeddedJob('none'),
    ];
    for (const job of [both, one, none]) tags.add(job);
    expect(idsOf(tags.of('ada') as Iterable<{ id: string }>)).toEqual(['both', 'one']);
    tags.remove(both);
    tags.remove(none);
    expect([...tags.of('monthly')]).toEqual([]);
    expect([...tags.of('ada')]).toEqual([one]);
    tags.remove(one);
    expect([...tags.of('ada')]).toEqual([]);
  });
});
