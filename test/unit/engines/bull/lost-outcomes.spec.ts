import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LostOutcomes } from '../../../../lib/engines/bull/lost-outcomes.js';

describe('lost outcomes', () => {
  const logger = { warn: vi.fn<(line: string) => void>() };
  let lost: LostOutcomes;

  beforeEach(() => {
    vi.useFakeTimers();
    logger.warn.mockClear();
    lost = new LostOutcomes(logger as never);
  });
  afterEach(() => vi.useRealTimers());

  const lines = (): string[] => logger.warn.mock.calls.map(([line]) => line);

  it('are told soon, those of the same time in one line', () => {
    for (let id = 1; id <= 8; id++) lost.note([`${id}`]);
    vi.advanceTimersByTime(500);
    expect(lines()).toEqual([expect.stringMatching(/^What the runs of job\(s\) 1, 2, 3, 4, 5 and 3 more answered/)]);
  });

  it('are told in ever fewer lines while they go on', () => {
    for (let second = 0; second < 300; second++) {
      lost.note([`${second}`]);
      vi.advanceTimersByTime(1_000);
    }
    expect(lines().length).toBeLessThanOrEqual(7);
    lost.close();
    const told = lines().map((line) => line.split(' answered')[0].replace('What the runs of job(s) ', ''));
    const counted = told.map((text) => text.split(', ').length + Number(/and (\d+) more/.exec(text)?.[1] ?? 0));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(300);
  });

  it('are told soon again after a long silence', () => {
    lost.note(['1']);
    vi.advanceTimersByTime(120_000);
    lost.note(['2']);
    vi.advanceTimersByTime(500);
    expect(lines()).toHaveLength(2);
  });

  it('are told at the end, and nothing is told where there are none', () => {
    lost.close();
    expect(lines()).toEqual([]);
    lost.note(['1']);
    lost.close();
    expect(lines()).toHaveLength(1);
    vi.advanceTimersByTime(100_000);
    expect(lines()).toHaveLength(1);
  });
});
