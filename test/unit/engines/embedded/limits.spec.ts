import { describe, expect, it } from 'vitest';
import type { JobRules } from '../../../../lib/contracts/job.js';
import type { EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { Lanes } from '../../../../lib/engines/embedded/lanes.js';
import { Limits } from '../../../../lib/engines/embedded/limits.js';
import { Clock, embeddedJob, idsOf } from './jobs.js';

/** A queue of which nothing is left but its lanes and limits. */
class Scene {
  readonly clock = new Clock();
  readonly lanes = new Lanes<EmbeddedJob>();
  readonly started: EmbeddedJob[] = [];
  readonly limits = new Limits(this.clock, (job) => this.lanes.pushWoken(job));
  /** Times that a job was asked in. */
  asked = 0;

  add(id: string, rules: JobRules): EmbeddedJob {
    const job = embeddedJob(id, rules);
    this.lanes.push(job);
    return job;
  }

  /** Starts all that may start, or the first few, and answers them. */
  take(most = Infinity): string[] {
    const from = this.started.length;
    while (this.started.length - from < most) {
      const job = this.lanes.shift();
      if (!job) break;
      this.asked++;
      if (this.limits.admit(job, this.clock.time)) this.started.push(job);
    }
    return idsOf(this.started.slice(from));
  }

  leave(job: EmbeddedJob): void {
    job.line?.remove(job);
    this.limits.leave(job);
  }

  pass(milliseconds: number): void {
    this.clock.time += milliseconds;
  }
}

const runs = (max = 1, key = 'runs'): JobRules => ({ concurrency: { key, max } });
const starts = (max = 1, per = 100, key = 'starts'): JobRules => ({ rate: { key, max, per } });

describe('a concurrency limit', () => {
  it('parks what would exceed it, and wakes one for each that lets go, in their order', () => {
    const scene = new Scene();
    const jobs = ['a', 'b', 'c', 'd'].map((id) => scene.add(id, runs(2)));
    expect(scene.take()).toEqual(['a', 'b']);
    expect(jobs.map((job) => scene.limits.waitingFor(job))).toEqual([
      undefined,
      undefined,
      'concurrency',
      'concurrency',
    ]);
    scene.leave(jobs[1]);
    expect(scene.take()).toEqual(['c']);
    scene.leave(jobs[0]);
    scene.leave(jobs[2]);
    expect(scene.take()).toEqual(['d']);
    expect([...scene.limits.parked()]).toEqual([]);
  });

  it('wakes the next when the one that was woken leaves before it starts', () => {
    const scene = new Scene();
    const [a, b] = ['a', 'b', 'c'].map((id) => scene.add(id, runs()));
    scene.take();
    scene.leave(a);
    scene.leave(b);
    expect(scene.take()).toEqual(['c']);
  });

  it('wakes a high job before others, and one that comes when another was woken already', () => {
    const scene = new Scene();
    const a = scene.add('a', runs());
    scene.add('b', { ...runs(), priority: 'low' });
    expect(scene.take()).toEqual(['a']);
    scene.leave(a);
    const high = scene.add('high', { ...runs(), priority: 'high' });
    const high2 = scene.add('high2', { ...runs(), priority: 'high' });
    expect(scene.take(1)).toEqual(['high']);
    expect(scene.take()).toEqual([]);
    expect(idsOf(scene.limits.parked())).toEqual(['high2', 'b']);
    scene.leave(high);
    expect(scene.take()).toEqual(['high2']);
    scene.leave(high2);
    expect(scene.take()).toEqual(['b']);
  });

  it('wakes a high job although a low one was woken and has not come to a worker yet', () => {
    const scene = new Scene();
    const a = scene.add('a', runs());
    scene.add('low', { ...runs(), priority: 'low' });
    scene.take();
    scene.leave(a);
    const thief = scene.add('thief', { ...runs(), priority: 'high' });
    scene.add('high', { ...runs(), priority: 'high' });
    expect(scene.take(1)).toEqual(['thief']);
    const high = scene.lanes.shift()!;
    expect([high.id, scene.limits.admit(high, scene.clock.time)]).toEqual(['high', false]);
    scene.leave(thief);
    expect(scene.lanes.shift()).toBe(high);
    expect(scene.limits.admit(high, scene.clock.time)).toBe(true);
  });

  it('holds for its key only', () => {
    const scene = new Scene();
    scene.add('a', runs(1, 'ada'));
    scene.add('b', runs(1, 'ada'));
    scene.add('c', runs(1, 'bob'));
    expect(scene.take()).toEqual(['a', 'c']);
  });
});

describe('a rate limit', () => {
  it('parks what would exceed it, and wakes one for each start that is old enough', () => {
    const scene = new Scene();
    const jobs = ['a', 'b', 'c', 'd'].map((id) => scene.add(id, starts(2)));
    expect(scene.take(1)).toEqual(['a']);
    scene.pass(40);
    expect(scene.take()).toEqual(['b']);
    expect(scene.limits.waitingFor(jobs[2])).toBe('rate');
    scene.pass(60);
    scene.add('new', starts(2));
    expect(scene.take()).toEqual(['c']);
    scene.pass(39);
    scene.add('newer', starts(2));
    expect(scene.take()).toEqual([]);
    scene.pass(1);
    scene.add('newest', starts(2));
    expect(scene.take()).toEqual(['d']);
    expect(idsOf(scene.limits.parked())).toEqual(['new', 'newer', 'newest']);
  });

  it('forgets nobody when the clock goes on between two looks at it', () => {
    const scene = new Scene();
    scene.clock.perLook = 1;
    for (let index = 0; index < 2_000; index++) {
      scene.add(`job-${index}`, starts(2, 7));
      scene.take();
      scene.pass(index % 13);
    }
    expect([...scene.limits.parked()].length).toBeLessThan(10);
  });

  it('lets the next start in the place of one that leaves', () => {
    const scene = new Scene();
    const [, b] = ['a', 'b', 'c'].map((id) => scene.add(id, starts()));
    scene.take();
    scene.leave(b);
    scene.pass(100);
    scene.add('d', starts());
    expect(scene.take()).toEqual(['c']);
  });
});

describe('a job with both limits', () => {
  const both = (user: string): JobRules => ({ ...runs(1), ...starts(1, 100, user) });

  it('takes no place of the one while it waits for the other', () => {
    const scene = new Scene();
    const a = scene.add('a', both('ada'));
    const a2 = scene.add('a2', both('ada'));
    const b = scene.add('b', both('bob'));
    expect(scene.take()).toEqual(['a']);
    expect([a2, b].map((job) => scene.limits.waitingFor(job))).toEqual(['concurrency', 'concurrency']);
    scene.leave(a);
    expect(scene.take()).toEqual(['b']);
    scene.leave(b);
    expect(scene.limits.waitingFor(a2)).toBe('rate');
    expect(scene.take()).toEqual([]);
    scene.pass(100);
    scene.add('c', both('cid'));
    expect(scene.take()).toEqual(['a2']);
    scene.leave(a2);
    expect(scene.take()).toEqual(['c']);
  });

  it('is asked about twice as often as it starts at most, however many wait', () => {
    const scene = new Scene();
    const rules = { ...runs(3), ...starts(5) };
    for (let index = 0; index < 2_000; index++) scene.add(`job-${index}`, rules);
    scene.take();
    scene.asked = 0;
    for (let turn = 0; scene.started.length < 1_000; turn++) {
      for (const job of scene.started.slice(-3)) scene.leave(job);
      scene.pass(turn % 2 === 0 ? 35 : 20);
      // Time is told by whoever comes where there is no timer.
      scene.add(`late-${turn}`, rules);
      scene.take();
    }
    expect(scene.asked).toBeLessThan(4_000);
    expect(idsOf(scene.started)).toEqual(Array.from({ length: scene.started.length }, (_, index) => `job-${index}`));
  });
});
