import { describe, expect, it } from 'vitest';
import { queueKeys } from '../../../../lib/engines/bull/queue-keys.js';

describe('queueKeys', () => {
  it('are Bull’s: prefix, queue, and a colon behind each', () => {
    expect(queueKeys('tasks', 'mail', false)).toEqual({ queue: 'mail', prefix: 'tasks', base: 'tasks:mail:' });
  });

  it('have a hash tag per queue in a cluster, and end as Bull ends them', () => {
    const keys = queueKeys('tasks', 'mail', true);
    expect(keys.prefix).toBe('{tasks:mail}');
    expect(keys.base).toBe(`${keys.prefix}:mail:`);
  });

  it('of one queue have one hash tag, whatever a job’s id is, and those of two queues have two', () => {
    const tags = (queue: string): Set<string> => {
      const { base } = queueKeys('tasks', queue, true);
      const names = ['wait', 'active', 'job-1', 'job-1:lock', '{x}', 'a{b}c'];
      // The rule of Redis: what stands between the first brace and the next closing one.
      return new Set(names.map((name) => /\{(.+?)\}/.exec(base + name)?.[1] ?? ''));
    };
    expect(tags('mail')).toEqual(new Set(['tasks:mail']));
    expect(tags('default')).toEqual(new Set(['tasks:default']));
  });
});
