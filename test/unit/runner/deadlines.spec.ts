import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../../lib/runner/deadlines.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function due(wait: number) {
  return { deadline: performance.now() + wait, place: -1, expire: vi.fn() };
}

function timersThatHold() {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

describe('Deadlines', () => {
  it('expires each at its own instant, whatever the order they came in', () => {
    const deadlines = new Deadlines();
    const [late, early, middle] = [due(300), due(100), due(200)];
    for (const timed of [late, early, middle]) deadlines.add(timed);

    vi.advanceTimersByTime(99);
    expect(early.expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(early.expire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
    expect(middle.expire).toHaveBeenCalledTimes(1);
    expect(late.expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect([early, middle, late].map(({ expire }) => expire.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('leaves a removed one alone, and those beside it in the list', () => {
    const deadlines = new Deadlines();
    const all = [due(100), due(100), due(100), due(100)];
    for (const timed of all) deadlines.add(timed);
    deadlines.remove(all[1]);
    deadlines.remove(all[1]);
    deadlines.remove(all[3]);
    vi.advanceTimersByTime(100);
    expect(all.map(({ expire }) => expire.mock.calls.length)).toEqual([1, 0, 1, 0]);
  });

  it('arms one timer for any number of runs that share a timeout', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const deadlines = new Deadlines();
    for (let run = 0; run < 1_000; run++) {
      const timed = due(1_000);
      deadlines.add(timed);
      vi.advanceTimersByTime(0.5);
      deadlines.remove(timed);
    }
    expect(setTimer).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('arms the timer anew for a nearer deadline', () => {
    const deadlines = new Deadlines();
    const [far, near] = [due(10_000), due(10)];
    deadlines.add(far);
    deadlines.add(near);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(10);
    expect(near.expire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(9_990);
    expect(far.expire).toHaveBeenCalledTimes(1);
  });

  it('keeps a deadline further away than a timer can wait', () => {
    const deadlines = new Deadlines();
    const days = 24 * 60 * 60_000;
    const far = due(60 * days);
    deadlines.add(far);
    vi.advanceTimersByTime(60 * days - 1_000);
    expect(far.expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(far.expire).toHaveBeenCalledTimes(1);
  });

  it('does not expire one that another removed in the same instant', () => {
    const deadlines = new Deadlines();
    const second = due(100);
    const first = due(100);
    first.expire.mockImplementation(() => deadlines.remove(second));
    deadlines.add(first);
    deadlines.add(second);
    vi.advanceTimersByTime(100);
    expect(first.expire).toHaveBeenCalledTimes(1);
    expect(second.expire).not.toHaveBeenCalled();
  });

  it('does not keep the process alive', () => {
    vi.useRealTimers();
    const before = timersThatHold();
    const timed = due(60_000);
    new Deadlines().add(timed);
    expect(timersThatHold()).toBe(before);
    const held = setTimeout(() => undefined, 60_000);
    expect(timersThatHold()).toBe(before + 1);
    clearTimeout(held);
  });
});
