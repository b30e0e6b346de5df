import { describe, expect, it } from 'vitest';
import { Slots } from '../../../lib/engines/slots.js';

function open(size: number): { slots: Slots; freed: () => number } {
  let freed = 0;
  return { slots: new Slots(size, () => freed++), freed: () => freed };
}

/** Whether a promise is settled when everything that was due has run. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('Slots', () => {
  it('starts with all places free', () => {
    expect(open(3).slots.free).toBe(3);
  });

  it('has a place less for each one that is taken', () => {
    const { slots, freed } = open(2);
    slots.take();
    expect(slots.free).toBe(1);
    slots.take();
    expect(slots.free).toBe(0);
    expect(freed()).toBe(0);
  });

  it('refuses to take more places than there are', () => {
    const { slots } = open(1);
    slots.take();
    expect(() => slots.take()).toThrow(RangeError);
  });

  it('tells when a place becomes free', () => {
    const { slots, freed } = open(1);
    slots.take().release();
    expect(slots.free).toBe(1);
    expect(freed()).toBe(1);
  });

  it('lets the hook take the place at once', () => {
    let slots: Slots;
    const taken: unknown[] = [];
    slots = new Slots(1, () => taken.push(slots.take()));
    slots.take().release();
    expect(taken).toHaveLength(1);
    expect(slots.free).toBe(0);
  });

  it('takes a place back once, however often it is released', () => {
    const { slots, freed } = open(1);
    const place = slots.take();
    place.release();
    place.release();
    expect(slots.free).toBe(1);
    expect(freed()).toBe(1);
  });

  describe('lending', () => {
    it('frees the place for a new job', () => {
      const { slots, freed } = open(1);
      slots.take().lend();
      expect(slots.free).toBe(1);
      expect(freed()).toBe(1);
    });

    it('takes the place back at once while one is free', async () => {
      const { slots } = open(1);
      const takeBack = slots.take().lend();
      await takeBack();
      expect(slots.free).toBe(0);
    });

    it('waits for a place, which then goes to the returning run and not to a new job', async () => {
      const { slots, freed } = open(1);
      const takeBack = slots.take().lend();
      const borrower = slots.take();
      const back = takeBack();
      expect(await isSettled(back)).toBe(false);
      borrower.release();
      expect(await isSettled(back)).toBe(true);
      expect(slots.free).toBe(0);
      expect(freed()).toBe(1);
    });

    it('serves returning runs in the order in which they came', async () => {
      const { slots } = open(2);
      const [first, second] = [slots.take().lend(), slots.take().lend()];
      const [a, b] = [slots.take(), slots.take()];
      const [secondBack, firstBack] = [second(), first()];
      a.release();
      expect(await isSettled(secondBack)).toBe(true);
      expect(await isSettled(firstBack)).toBe(false);
      b.release();
      expect(await isSettled(firstBack)).toBe(true);
    });

    it('takes one place back, however often it is asked to', async () => {
      const { slots } = open(2);
      const takeBack = slots.take().lend();
      await Promise.all([takeBack(), takeBack()]);
      expect(slots.free).toBe(1);
    });

    it('can be done again after the place came back', async () => {
      const { slots } = open(1);
      const place = slots.take();
      await place.lend()();
      place.lend();
      expect(slots.free).toBe(1);
    });

    it('frees one place for a run that waits several times at once, until the last wait is over', async () => {
      const { slots } = open(1);
      const place = slots.take();
      const [first, second] = [place.lend(), place.lend()];
      expect(slots.free).toBe(1);
      await first();
      expect(slots.free).toBe(1);
      await second();
      expect(slots.free).toBe(0);
    });

    it('lets a returning run go on without a place when it starts another wait', async () => {
      const { slots } = open(1);
      const place = slots.take();
      const takeBack = place.lend();
      const borrower = slots.take();
      const back = takeBack();
      const takeBackAgain = place.lend();
      expect(await isSettled(back)).toBe(true);
      borrower.release();
      expect(slots.free).toBe(1);
      await takeBackAgain();
      expect(slots.free).toBe(0);
    });
  });

  describe('a run that ends while its place is lent', () => {
    it('gives nothing back a second time', () => {
      const { slots } = open(1);
      const place = slots.take();
      place.lend();
      place.release();
      expect(slots.free).toBe(1);
    });

    it('takes nothing back afterwards', async () => {
      const { slots } = open(1);
      const place = slots.take();
      const takeBack = place.lend();
      place.release();
      await takeBack();
      expect(slots.free).toBe(1);
    });

    it('stops waiting for a place', async () => {
      const { slots } = open(1);
      const place = slots.take();
      const takeBack = place.lend();
      const borrower = slots.take();
      const back = takeBack();
      place.release();
      expect(await isSettled(back)).toBe(true);
      borrower.release();
      expect(slots.free).toBe(1);
    });

    it('lends nothing', async () => {
      const { slots } = open(1);
      const place = slots.take();
      place.release();
      const takeBack = place.lend();
      expect(slots.free).toBe(1);
      await takeBack();
      expect(slots.free).toBe(1);
    });
  });
});
