import { describe, expect, it } from 'vitest';
import { Batch } from '../../../../lib/engines/bull/batch.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function batch(): { batch: Batch<number>; flushed: number[][] } {
  const flushed: number[][] = [];
  return { batch: new Batch((items) => flushed.push(items)), flushed };
}

describe('Batch', () => {
  it('hands on all items of one turn at once, in order', async () => {
    const { batch: numbers, flushed } = batch();
    numbers.add(1);
    numbers.add(2);
    await Promise.resolve();
    numbers.add(3);
    expect(flushed).toEqual([]);
    await turn();
    expect(flushed).toEqual([[1, 2, 3]]);
  });

  it('starts anew in the next turn', async () => {
    const { batch: numbers, flushed } = batch();
    numbers.add(1);
    await turn();
    numbers.add(2);
    await turn();
    expect(flushed).toEqual([[1], [2]]);
  });

  it('does nothing while there is nothing', async () => {
    const { flushed } = batch();
    await turn();
    expect(flushed).toEqual([]);
  });

  it('takes items that are added while it hands on', async () => {
    const flushed: number[][] = [];
    const numbers: Batch<number> = new Batch((items) => {
      flushed.push(items);
      if (items[0] < 3) numbers.add(items[0] + 1);
    });
    numbers.add(1);
    for (let turns = 0; turns < 4; turns++) await turn();
    expect(flushed).toEqual([[1], [2], [3]]);
  });
});
