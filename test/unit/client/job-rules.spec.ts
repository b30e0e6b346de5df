import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../lib/client/job-rules.js';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';
import type { TaskOptions } from '../../../lib/contracts/task-options.js';
import type { EnqueueOptions } from '../../../lib/contracts/task.js';
import type { TaskDefinition } from '../../../lib/discovery/task-definition.js';

function rules(own: TaskOptions | undefined, options: EnqueueOptions, defaults: { expires?: number } = {}) {
  const definition = own && ({ name: 'Mail.send', place: 'Mail.send', options: own } as TaskDefinition);
  return rulesOf({ task: 'Mail.send', args: ['ada'], options, due: 1_000 }, definition, defaults);
}

describe('The rules of a job', () => {
  it('are none where nothing is said', () => {
    expect(rules({}, {})).toBeUndefined();
    expect(rules(undefined, { priority: 'normal', tags: [] })).toBeUndefined();
  });

  it('have the priority of the call before that of the task', () => {
    expect(rules({ priority: 'low' }, {})).toEqual({ priority: 'low' });
    expect(rules({ priority: 'low' }, { priority: 'high' })).toEqual({ priority: 'high' });
    expect(rules({ priority: 'low' }, { priority: 'normal' })).toBeUndefined();
  });

  it('have the expiry of the call before those of task and application', () => {
    const defaults = { expires: 30 };
    expect(rules({}, {}, defaults)).toEqual({ expiresAt: 1_030 });
    expect(rules({ expires: 20 }, {}, defaults)).toEqual({ expiresAt: 1_020 });
    expect(rules({ expires: 20 }, { expires: '1s' }, defaults)).toEqual({ expiresAt: 2_000 });
    expect(rules({ expires: 20 }, { expires: new Date(5) })).toEqual({ expiresAt: 5 });
  });

  it('have the limits of the task', () => {
    expect(rules({ concurrency: { max: 1 }, rateLimit: { max: 2, per: '1m' } }, {})).toEqual({
      concurrency: { key: 'Mail.send', max: 1 },
      rate: { key: 'Mail.send', max: 2, per: 60_000 },
    });
  });

  it.each([
    [{ until: 'started' }, { until: 'started', onConflict: 'return' }],
    [
      { until: 'finished', onConflict: 'reject' },
      { until: 'finished', onConflict: 'reject' },
    ],
    [
      { until: '1.5ms', onConflict: 'replace' },
      { until: 2, onConflict: 'replace' },
    ],
  ] as const)('make %j complete', (unique, expected) => {
    const key = expect.stringMatching(/^Mail\.send:/) as string;
    expect(rules({ unique: { until: 1 } }, { unique })).toEqual({ unique: { key, ...expected } });
    expect(rules({ unique }, {})).toEqual({ unique: { key, ...expected } });
  });

  it('unite the tags, without doubles', () => {
    expect(rules({ tags: ['a', 'b'] }, { tags: ['b', 'c', 'c'] })).toEqual({ tags: ['a', 'b', 'c'] });
    expect(rules(undefined, { tags: ['a', 'a'] })).toEqual({ tags: ['a'] });
  });

  it('refuse too many tags in all', () => {
    const tags = (letter: string) => Array.from({ length: 30 }, (_, index) => `${letter}${index}`);
    expect(() => rules({ tags: tags('a') }, { tags: tags('b') })).toThrow(InvalidOptionsError);
    expect(() => rules({ tags: tags('a') }, { tags: tags('b') })).toThrow(/Mail\.send has 60 tags. Give at most 50/);
  });
});
