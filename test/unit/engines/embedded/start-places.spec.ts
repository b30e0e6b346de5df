import { describe, expect, it } from 'vitest';
import { StartPlaces } from '../../../../lib/engines/embedded/start-places.js';

const LIMIT = { max: 2, per: 100 };

function after(...starts: number[]): StartPlaces {
  const places = new StartPlaces();
  for (const start of starts) places.take(start, LIMIT);
  return places;
}

describe('StartPlaces', () => {
  it('are free as long as there are fewer starts than the limit', () => {
    expect(after().freeAt(LIMIT)).toBe(-Infinity);
    expect(after(10).freeAt(LIMIT)).toBe(-Infinity);
  });

  it('are free again when the earliest start that counts is as old as the limit says', () => {
    expect(after(10, 20).freeAt(LIMIT)).toBe(110);
    expect(after(10, 20, 110).freeAt(LIMIT)).toBe(120);
  });

  it('leave out places that others were promised', () => {
    expect(after(10).freeAt(LIMIT, 1)).toBe(110);
    expect(after(10, 20).freeAt(LIMIT, 1)).toBe(120);
    expect(after().freeAt(LIMIT, 1)).toBe(-Infinity);
    expect(after().freeAt(LIMIT, 2)).toBe(Infinity);
  });

  it('never let more start in any window than the limit, however many come', () => {
    const places = new StartPlaces();
    const starts: number[] = [];
    for (let now = 0; now < 3_000; now += 7) {
      if (places.freeAt({ max: 5, per: 100 }) > now) continue;
      places.take(now, { max: 5, per: 100 });
      starts.push(now);
    }
    expect(starts.length).toBeGreaterThan(130);
    for (const [index, start] of starts.entries()) {
      if (index >= 5) expect(start - starts[index - 5]).toBeGreaterThanOrEqual(100);
    }
  });

  it('hold for each job by the limit that it came with', () => {
    const places = after(10, 20);
    expect(places.freeAt({ max: 3, per: 100 })).toBe(-Infinity);
    expect(places.freeAt({ max: 1, per: 100 })).toBe(120);
    expect(places.freeAt({ max: 2, per: 500 })).toBe(510);
  });

  it('are idle when the latest start is over', () => {
    expect(after().idleAt).toBe(-Infinity);
    expect(after(10, 20).idleAt).toBe(120);
  });
});
