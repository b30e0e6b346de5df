import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outage } from '../../../../lib/engines/bull/outage.js';

describe('an outage', () => {
  const lines: string[] = [];
  const logger = { error: (line: string) => lines.push(line), log: (line: string) => lines.push(line) };
  let isBack = false;
  const look = vi.fn(() => (isBack ? Promise.resolve() : Promise.reject(new Error('No.'))));
  const onOver = vi.fn();
  let outage: Outage;

  beforeEach(() => {
    vi.useFakeTimers();
    lines.length = 0;
    isBack = false;
    look.mockClear();
    onOver.mockClear();
    outage = new Outage(look, onOver, false, logger as never);
  });
  afterEach(() => {
    outage.close();
    vi.useRealTimers();
  });

  it('is told once, however many connections notice it', () => {
    for (let times = 0; times < 100; times++) outage.begin('connect ECONNREFUSED');
    expect(lines).toEqual([expect.stringMatching(/^Redis is away \(connect ECONNREFUSED\)\. enqueue\(\) rejects/)]);
    expect(outage.cause).toBe('Redis is away (connect ECONNREFUSED).');
  });

  it('is over when a look says so, and then told with its length', async () => {
    outage.begin('connect ECONNREFUSED');
    await vi.advanceTimersByTimeAsync(4_500);
    expect(look).toHaveBeenCalledTimes(4);
    isBack = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(outage.cause).toBeUndefined();
    expect(lines.at(-1)).toBe('Redis is back after 5 s.');
    expect(onOver).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(look).toHaveBeenCalledTimes(5);
  });

  it('is looked for at once when a connection is ready, by one look at a time', () => {
    outage.mayBeOver();
    expect(look).not.toHaveBeenCalled();
    outage.begin('connect ECONNREFUSED');
    outage.mayBeOver();
    outage.mayBeOver();
    expect(look).toHaveBeenCalledTimes(1);
  });

  it('tells a reason of another kind too, and not one that says less', () => {
    outage.begin('connect ECONNREFUSED');
    outage.suspect('it could not be reached');
    outage.begin('LOADING Redis is loading the dataset in memory');
    expect(lines).toHaveLength(2);
    expect(outage.cause).toMatch(/^Redis refuses its work \(LOADING/);
  });

  it('fills no log when its reasons go on changing', () => {
    const kinds = ['ECONNREFUSED', 'LOADING x', 'OOM x', 'BUSY x', 'MISCONF x', 'READONLY x', 'CLUSTERDOWN x'];
    for (let times = 0; times < 20; times++) for (const kind of kinds) outage.begin(kind);
    expect(lines.length).toBeLessThanOrEqual(4);
  });

  it('is not told before Redis was reached once, where somebody else tells it', async () => {
    const quiet = new Outage(look, onOver, true, logger as never);
    quiet.begin('connect ECONNREFUSED');
    isBack = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toEqual([]);
    quiet.begin('connect ECONNREFUSED');
    expect(lines).toHaveLength(1);
    quiet.close();
  });
});
