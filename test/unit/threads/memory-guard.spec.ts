import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryGuard } from '../../../lib/threads/memory-guard.js';

const MEGABYTE = 1024 ** 2;

describe('the guard of a thread’s memory', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives V8 the limit itself where a heap cannot be looked at', async () => {
    const guard = new MemoryGuard(100, false);
    const exceeded = vi.fn();
    expect(guard.limit).toBe(100);
    guard.watch({ getHeapStatistics: async () => ({ used_heap_size: Infinity }) }, exceeded);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exceeded).not.toHaveBeenCalled();
  });

  it('gives V8 room beyond the limit where a heap can be looked at, and tells once of one that is too large', async () => {
    const guard = new MemoryGuard(100, true);
    const exceeded = vi.fn();
    let used = 150 * MEGABYTE;
    expect(guard.limit).toBe(264);
    guard.watch({ getHeapStatistics: async () => ({ used_heap_size: used }) }, exceeded);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exceeded).not.toHaveBeenCalled();
    used = 190 * MEGABYTE;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exceeded).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('looks no more once it is stopped, and does not mind a thread that has ended', async () => {
    const guard = new MemoryGuard(100, true);
    const exceeded = vi.fn();
    guard.watch({ getHeapStatistics: async () => Promise.reject(new Error('ERR_WORKER_NOT_RUNNING')) }, exceeded);
    await vi.advanceTimersByTimeAsync(200);
    guard.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(exceeded).not.toHaveBeenCalled();
  });
});
