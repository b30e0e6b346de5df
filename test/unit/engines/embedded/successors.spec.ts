import { describe, expect, it } from 'vitest';
import { Successors } from '../../../../lib/engines/embedded/successors.js';
import { embeddedJob, idsOf } from './jobs.js';

describe('Successors', () => {
  it('tell whom a job waits for, until that leaves', () => {
    const successors = new Successors();
    const [running, second, third] = ['running', 'second', 'third'].map((id) => embeddedJob(id));
    successors.add(second, running);
    successors.add(third, running);
    expect(successors.predecessorOf(second)).toBe(running);
    expect(idsOf(successors.leave(running))).toEqual(['second', 'third']);
    expect(successors.predecessorOf(second)).toBeUndefined();
    expect([...successors.leave(running)]).toEqual([]);
  });

  it('forget a job that leaves before the one it waits for', () => {
    const successors = new Successors();
    const [running, second, third] = ['running', 'second', 'third'].map((id) => embeddedJob(id));
    successors.add(second, running);
    expect([...successors.leave(second)]).toEqual([]);
    expect(successors.predecessorOf(second)).toBeUndefined();
    successors.add(third, running);
    expect(idsOf(successors.leave(running))).toEqual(['third']);
  });
});
