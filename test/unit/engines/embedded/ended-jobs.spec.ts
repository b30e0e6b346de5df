import { describe, expect, it } from 'vitest';
import type { EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { EndedJobs, type EndedState } from '../../../../lib/engines/embedded/ended-jobs.js';
import { Clock, embeddedJob, idsOf } from './jobs.js';

const AGE = 1_000;

function open() {
  const clock = new Clock();
  const forgotten: string[] = [];
  const jobs = new EndedJobs(clock, ({ id }) => forgotten.push(id));
  const keep = (id: string, state: EndedState, { task = 'Mail.send', count = 2, age = AGE } = {}): EmbeddedJob => {
    const job: EmbeddedJob = { ...embeddedJob(id), task, state, finishedAt: clock.time };
    jobs.keep(job, state, { age, count });
    return job;
  };
  return { clock, forgotten, jobs, keep };
}

describe('ended jobs', () => {
  it('are kept by number, those of each state and the failed ones of each task apart', () => {
    const { forgotten, jobs, keep } = open();
    for (const id of ['c1', 'c2', 'c3']) keep(id, 'cancelled');
    for (const id of ['e1', 'e2']) keep(id, 'expired');
    for (const id of ['f1', 'f2']) keep(id, 'failed');
    for (const id of ['g1', 'g2']) keep(id, 'failed', { task: 'Other.task', count: 1 });
    expect(forgotten).toEqual(['c1', 'g1']);
    expect(idsOf(jobs.of('cancelled'))).toEqual(['c3', 'c2']);
    expect(idsOf(jobs.of('expired'))).toEqual(['e2', 'e1']);
    expect(idsOf(jobs.of('failed'))).toEqual(['g2', 'f2', 'f1']);
    jobs.close();
  });

  it('come the latest first, of whatever task they are', () => {
    const { jobs, keep } = open();
    for (const [index, task] of ['a', 'b', 'a', 'c', 'b'].entries()) keep(`f${index}`, 'failed', { task });
    expect(idsOf(jobs.of('failed'))).toEqual(['f4', 'f3', 'f2', 'f1', 'f0']);
    jobs.close();
  });

  it('are forgotten when their age is over, each at its own time', () => {
    const { clock, forgotten, jobs, keep } = open();
    keep('long', 'completed', { age: AGE * 2 });
    keep('short', 'completed');
    keep('failed', 'failed');
    clock.time += AGE;
    jobs.sweep();
    expect(forgotten).toEqual(['short', 'failed']);
    expect(idsOf(jobs.of('failed'))).toEqual([]);
    clock.time += AGE;
    jobs.sweep();
    expect(forgotten).toEqual(['short', 'failed', 'long']);
    jobs.close();
  });

  it('are not kept at all when the age or the number is 0', () => {
    const { forgotten, jobs, keep } = open();
    keep('age', 'failed', { age: 0 });
    keep('count', 'expired', { count: 0 });
    expect(forgotten).toEqual(['age', 'count']);
    expect([...jobs.of('failed'), ...jobs.of('expired')]).toEqual([]);
    jobs.close();
  });

  it('make room, and are not forgotten later, when one is taken out', () => {
    const { clock, forgotten, jobs, keep } = open();
    const first = keep('f1', 'failed');
    keep('f2', 'failed');
    jobs.remove(first);
    keep('f3', 'failed');
    expect(forgotten).toEqual([]);
    clock.time += AGE;
    jobs.sweep();
    expect(forgotten).toEqual(['f2', 'f3']);
    jobs.close();
  });
});
