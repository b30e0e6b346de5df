import { describe, expect, it } from 'vitest';
import type { EmbeddedJob } from '../../../../lib/engines/embedded/embedded-job.js';
import { Lanes } from '../../../../lib/engines/embedded/lanes.js';
import { embeddedJob, idsOf } from './jobs.js';

const low = (id: string): EmbeddedJob => embeddedJob(id, { priority: 'low' });
const high = (id: string): EmbeddedJob => embeddedJob(id, { priority: 'high' });

describe('Lanes', () => {
  it('serve all high items before normal ones and these before low ones, each in the order of their coming', () => {
    const lanes = new Lanes<EmbeddedJob>();
    for (const job of [low('l1'), embeddedJob('n1'), high('h1'), low('l2'), embeddedJob('n2'), high('h2')]) {
      lanes.push(job);
    }
    expect(idsOf(lanes)).toEqual(['h1', 'h2', 'n1', 'n2', 'l1', 'l2']);
    expect(lanes.peek()?.id).toBe('h1');
    expect(lanes.shift()?.id).toBe('h1');
    expect(lanes.shift()?.id).toBe('h2');
    expect(lanes.shift()?.id).toBe('n1');
  });

  it('serve woken items first among those of their priority, in the order of their waking', () => {
    const lanes = new Lanes<EmbeddedJob>();
    lanes.push(embeddedJob('n1'));
    lanes.pushFront(embeddedJob('n0'));
    lanes.pushWoken(embeddedJob('w1'));
    lanes.pushWoken(embeddedJob('w2'));
    lanes.pushWoken(low('w3'));
    lanes.push(high('h1'));
    expect(idsOf(lanes)).toEqual(['h1', 'w1', 'w2', 'n0', 'n1', 'w3']);
  });

  it('are empty once all have left', () => {
    const lanes = new Lanes<EmbeddedJob>();
    const job = low('l1');
    expect(lanes.isEmpty).toBe(true);
    lanes.push(job);
    expect(lanes.isEmpty).toBe(false);
    job.line!.remove(job);
    expect(lanes.isEmpty).toBe(true);
    expect(lanes.shift()).toBeUndefined();
  });

  it('rank behind other lanes when they are of parked items', () => {
    const parked = high('parked');
    const waiting = low('waiting');
    new Lanes<EmbeddedJob>(true).push(parked);
    new Lanes<EmbeddedJob>().push(waiting);
    expect(waiting.line!.rank).toBeLessThan(parked.line!.rank);
  });
});
