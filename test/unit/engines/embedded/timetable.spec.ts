import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../lib/contracts/clock.js';
import { Timetable, type Timed } from '../../../../lib/engines/embedded/timetable.js';
import { eventually } from '../../../support/eventually.js';
import { Clock } from './jobs.js';

function open(clock = new Clock()) {
  const due: Timed[] = [];
  const timetable = new Timetable<Timed>(clock, (item) => due.push(item));
  return { clock, due, timetable };
}

function timed(order: number): Timed {
  return { at: 0, order, place: -1 };
}

describe('Timetable', () => {
  it('tells what is due, the earliest first, and of one instant the first to come', () => {
    const { clock, due, timetable } = open();
    const [a, b, c, d] = [1, 2, 3, 4].map(timed);
    timetable.add(c, clock.time + 20);
    timetable.add(b, clock.time + 10);
    timetable.add(a, clock.time + 10);
    timetable.add(d, clock.time + 21);
    timetable.run();
    expect(due).toEqual([]);
    clock.time += 20;
    timetable.run();
    expect(due).toEqual([a, b, c]);
    expect([...timetable]).toEqual([d]);
    timetable.close();
  });

  it('forgets what has left it, and lets the same come again', () => {
    const { clock, due, timetable } = open();
    const [a, b] = [1, 2].map(timed);
    timetable.add(a, clock.time + 10);
    timetable.add(b, clock.time + 20);
    timetable.remove(a);
    timetable.remove(a);
    clock.time += 30;
    timetable.run();
    expect(due).toEqual([b]);
    timetable.add(a, clock.time);
    timetable.run();
    expect(due).toEqual([b, a]);
    timetable.close();
  });

  it('keeps its order whoever comes and leaves', () => {
    const { clock, due, timetable } = open();
    const start = clock.time;
    const items = Array.from({ length: 500 }, (_, index) => timed(index));
    for (const [index, item] of items.entries()) timetable.add(item, start + ((index * 7_919) % 1_009));
    for (const [index, item] of items.entries()) if (index % 3 === 0) timetable.remove(item);
    clock.time += 1_009;
    timetable.run();
    expect(due).toHaveLength(items.length - Math.ceil(items.length / 3));
    expect(due).toEqual(due.toSorted((a, b) => a.at - b.at || a.order - b.order));
    timetable.close();
  });

  it('rings by itself, for the next one too', async () => {
    const due: Timed[] = [];
    const timetable = new Timetable<Timed>(systemClock, (item) => due.push(item));
    const [a, b] = [1, 2].map(timed);
    timetable.add(b, Date.now() + 40);
    timetable.add(a, Date.now() + 20);
    await eventually(() => expect(due).toEqual([a, b]));
    expect(Date.now()).toBeGreaterThanOrEqual(b.at);
    timetable.close();
  });
});
