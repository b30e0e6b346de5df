import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Solitude } from '../../../lib/runner/solitude.js';
import { isSettled } from './runner-fixture.js';

/** The places where jobs come from, which count who holds them. */
function setUp(longest?: number) {
  const sources = [1, 2].map(() => {
    const source = {
      held: 0,
      hold: () => {
        source.held++;
        return () => void source.held--;
      },
    };
    return source;
  });
  const solitude = new Solitude(longest);
  solitude.govern(sources);
  return { solitude, held: () => sources.map(({ held }) => held) };
}

describe('a run that is to be alone', () => {
  it('is so at once where nothing runs, and keeps jobs away from every queue until it leaves', async () => {
    const { solitude, held } = setUp();
    const stay = solitude.ask();
    expect(await stay.entered).toBe(true);
    expect(held()).toEqual([1, 1]);
    stay.leave();
    expect(held()).toEqual([0, 0]);
  });

  it('waits for all that run, while no jobs come any more', async () => {
    const { solitude, held } = setUp();
    solitude.enter();
    solitude.enter();
    const stay = solitude.ask();
    expect(held()).toEqual([1, 1]);
    solitude.leave();
    expect(await isSettled(stay.entered)).toBe(false);
    solitude.leave();
    expect(await stay.entered).toBe(true);
  });

  it('can give up while it waits, which lets jobs come again', async () => {
    const { solitude, held } = setUp();
    solitude.enter();
    const stay = solitude.ask();
    stay.leave();
    expect(await stay.entered).toBe(false);
    expect(held()).toEqual([0, 0]);
  });

  it('is followed by the next one, and no job comes between the two', async () => {
    const { solitude, held } = setUp();
    const first = solitude.ask();
    const second = solitude.ask();
    expect(await first.entered).toBe(true);
    expect(await isSettled(second.entered)).toBe(false);
    first.leave();
    expect(await second.entered).toBe(true);
    expect(held()).toEqual([1, 1]);
    second.leave();
    expect(held()).toEqual([0, 0]);
  });

  it('is joined by nobody who comes back from waiting for another job', async () => {
    const { solitude } = setUp();
    const stay = solitude.ask();
    await stay.entered;
    const back = solitude.comeBack();
    expect(await isSettled(back!)).toBe(false);
    stay.leave();
    await back;
    expect(solitude.busy).toBe(1);
  });

  it('lets those come back that do so before it is alone', () => {
    const { solitude } = setUp();
    solitude.enter();
    solitude.ask();
    expect(solitude.comeBack()).toBeUndefined();
    expect(solitude.busy).toBe(2);
  });

  it('lets jobs come while it waits for another job, and is alone again when it comes back', async () => {
    const { solitude, held } = setUp();
    const stay = solitude.ask();
    await stay.entered;
    stay.leave();
    expect(held()).toEqual([0, 0]);
    solitude.enter();
    const back = stay.comeBack()!;
    expect(held()).toEqual([1, 1]);
    expect(await isSettled(back)).toBe(false);
    solitude.leave();
    await back;
    stay.leave();
    expect(held()).toEqual([0, 0]);
  });
});

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets a run begin after 10 minutes beside one that does not end', async () => {
    const { solitude } = setUp();
    solitude.enter();
    const stay = solitude.ask();
    await vi.advanceTimersByTimeAsync(599_000);
    expect(await isSettled(stay.entered)).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await stay.entered).toBe(true);
  });

  it('lets jobs come again after 10 minutes of a run that goes on', async () => {
    const { solitude, held } = setUp();
    const stay = solitude.ask();
    await stay.entered;
    const back = solitude.comeBack();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(held()).toEqual([0, 0]);
    await back;
    stay.leave();
    expect(vi.getTimerCount()).toBe(0);
  });
});
