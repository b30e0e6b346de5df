import { describe, expect, it } from 'vitest';
import type { EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { isBefore, Line } from '../../../../lib/engines/embedded/line.js';
import { embeddedJob, idsOf } from './jobs.js';

function lineOf(...jobs: EmbeddedJob[]): Line<EmbeddedJob> {
  const line = new Line<EmbeddedJob>();
  for (const job of jobs) line.push(job);
  return line;
}

describe('Line', () => {
  it('gives its items out in the order of their coming', () => {
    const line = lineOf(embeddedJob('a'), embeddedJob('b'), embeddedJob('c'));
    expect([line.shift(), line.shift(), line.shift(), line.shift()].map((job) => job?.id)).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
    expect(line.length).toBe(0);
  });

  it('puts an item before all others, also before one that was put there earlier', () => {
    const line = lineOf(embeddedJob('a'));
    line.pushFront(embeddedJob('b'));
    line.pushFront(embeddedJob('c'));
    expect(idsOf(line)).toEqual(['c', 'b', 'a']);
    expect([...line].map(({ order }) => order)).toEqual([...line].map(({ order }) => order).toSorted((a, b) => a - b));
  });

  it.each([
    ['first', 'a', ['b', 'c']],
    ['middle', 'b', ['a', 'c']],
    ['last', 'c', ['a', 'b']],
  ])('closes the gap when the %s item leaves', (_where, id, left) => {
    const jobs = ['a', 'b', 'c'].map((name) => embeddedJob(name));
    const line = lineOf(...jobs);
    const leaving = jobs.find((job) => job.id === id)!;
    line.remove(leaving);
    expect(idsOf(line)).toEqual(left);
    expect(idsOf(line.backwards())).toEqual(left.toReversed());
    expect(line.length).toBe(2);
    expect(leaving.line).toBeUndefined();
    line.push(leaving);
    expect(idsOf(line)).toEqual([...left, id]);
  });

  it('takes items when all others have left', () => {
    const job = embeddedJob('a');
    const line = lineOf(job);
    line.remove(job);
    expect(line.peek()).toBeUndefined();
    line.pushFront(job);
    expect(idsOf(line)).toEqual(['a']);
    expect(idsOf(line.backwards())).toEqual(['a']);
  });

  it('is known to its items, so that those of several lines have one order', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => embeddedJob(name));
    new Line<EmbeddedJob>(2).push(a);
    new Line<EmbeddedJob>(1).push(b);
    new Line<EmbeddedJob>(1).push(c);
    expect([isBefore(b, a), isBefore(a, b), isBefore(b, c), isBefore(c, b)]).toEqual([true, false, true, false]);
  });
});
