import { describe, expect, it } from 'vitest';
import { TaskHealth } from '../../../lib/client/task-health.js';

describe('TaskHealth', () => {
  it('is ready when no part has a problem', async () => {
    const health = new TaskHealth([{ problems: () => [] }, { problems: () => Promise.resolve([]) }]);
    expect(await health.ready()).toEqual({ ready: true, problems: [] });
  });

  it('tells the problems of every part', async () => {
    const health = new TaskHealth([{ problems: () => ['a'] }, { problems: () => Promise.resolve(['b', 'c']) }]);
    expect(await health.ready()).toEqual({ ready: false, problems: ['a', 'b', 'c'] });
  });

  it('does not reject when a part does', async () => {
    const rejecting = { problems: () => Promise.reject(new Error('Boom.')) };
    const throwing = {
      problems: (): never => {
        throw new Error('Bang.');
      },
    };
    expect(await new TaskHealth([rejecting, throwing]).ready()).toEqual({
      ready: false,
      problems: ['It is not known whether all is well: Boom.', 'It is not known whether all is well: Bang.'],
    });
  });
});
