import { describe, expect, it } from 'vitest';
import { TakenJobs } from '../../../../lib/engines/bull/taken-jobs.js';
import type { LockedJob } from '../../../../lib/engines/bull/worker-turns.js';

describe('TakenJobs', () => {
  it('begins half of a worker’s jobs at once, and the rest when their short runs have ended', async () => {
    const { told, taken } = scene(4);
    taken.add(jobs('a', 'b', 'c', 'd'));
    expect(told).toEqual(['a', 'b', 'begun']);
    expect(taken.size).toBe(2);
    await nextTurn();
    expect(told).toEqual(['a', 'b', 'begun', 'next part', 'c', 'd', 'begun']);
    expect(taken.size).toBe(0);
  });

  it('begins what comes meanwhile after what came before', async () => {
    const { told, taken } = scene(2);
    taken.add(jobs('a', 'b'));
    taken.add(jobs('c'));
    await nextTurn();
    await nextTurn();
    expect(told.filter((what) => what.length === 1)).toEqual(['a', 'b', 'c']);
  });

  it('begins the job of a worker that runs one at a time at once', () => {
    const { told, taken } = scene(1);
    taken.add(jobs('a'));
    expect(told).toEqual(['a', 'begun']);
  });

  it('tells the locks of what is yet to be begun, and never begins a job whose lock is lost', async () => {
    const { told, taken } = scene(2);
    taken.add(jobs('a', 'b', 'c'));
    expect([...taken.locks()]).toEqual([
      ['b', 'lock of b', 0],
      ['c', 'lock of c', 0],
    ]);
    taken.drop('b');
    taken.drop('unknown');
    await nextTurn();
    expect(told).toEqual(['a', 'begun', 'next part', 'c', 'begun']);
  });
});

function scene(concurrency: number): { told: string[]; taken: TakenJobs } {
  const told: string[] = [];
  const taken = new TakenJobs(concurrency, ({ id }) => told.push(id), {
    nextPart: () => told.push('next part'),
    begun: () => told.push('begun'),
  });
  return { told, taken };
}

function jobs(...ids: string[]): LockedJob[] {
  return ids.map((id) => ({ id, lock: `lock of ${id}`, startedAt: 0 })) as LockedJob[];
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
