import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/contracts/clock.js';
import { EmbeddedEngine } from '../../lib/engines/embedded/embedded.engine.js';
import { eventually } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { describeEngine } from './describe-engine.js';
import { boom, completed, failed, KEEP, running } from './scene.js';

describeEngine('embedded', async ({ queues, keepStopped }) => {
  const engine = new EmbeddedEngine({ queues, keepStopped });
  return { engine, dispose: () => engine.close() };
});

describe('embedded engine, beside the suite', () => {
  it('fails a job whose outcome rejects, and goes on', async () => {
    const engine = new EmbeddedEngine({ queues: ['default'] });
    await engine.enqueue([newJob('bad'), newJob('good')]);
    engine.work('default', { concurrency: 1, worker: 'host:1' }, ({ id }) =>
      running(id === 'bad' ? Promise.reject(new TypeError('Broken.')) : Promise.resolve(completed())),
    );
    await eventually(async () => expect(await engine.state({ id: 'good' })).toBe('completed'));
    const [bad] = await engine.find([{ id: 'bad' }]);
    expect(bad).toMatchObject({ state: 'failed', error: { name: 'TypeError', message: 'Broken.' } });
    await engine.close();
  });

  it('leaves the event loop its turns while it works', async () => {
    const engine = new EmbeddedEngine({ queues: ['default'] });
    await engine.enqueue(Array.from({ length: 1_000 }, (_, index) => newJob(`job-${index}`)));
    engine.work('default', { concurrency: 10, worker: 'host:1' }, () => running(Promise.resolve(completed())));
    let turns = 0;
    while ((await engine.counts('default')).completed < 1_000) {
      turns++;
      await turn();
    }
    expect(turns).toBeGreaterThan(50);
    await engine.close();
  });

  it('shares a queue between its workers', async () => {
    const engine = new EmbeddedEngine({ queues: ['default'] });
    const startedBy: string[] = [];
    for (const worker of ['a', 'b']) {
      engine.work('default', { concurrency: 1, worker }, () => {
        startedBy.push(worker);
        return running(new Promise(() => undefined));
      });
    }
    await engine.enqueue([newJob('1'), newJob('2'), newJob('3')]);
    await eventually(() => expect(startedBy.toSorted()).toEqual(['a', 'b']));
    expect((await engine.counts('default')).waiting).toBe(1);
    await engine.close();
  });

  it('keeps failed jobs by age in the order of their ends, whatever was forgotten for its number', async () => {
    let now = 1_000_000;
    const engine = new EmbeddedEngine({ queues: ['default'], clock: { ...systemClock, now: () => now } });
    const worker = engine.work('default', { concurrency: 1, worker: 'host:1' }, () =>
      running(Promise.resolve(failed(boom, { age: KEEP, count: 3 }))),
    );
    await engine.enqueue(Array.from({ length: 5_000 }, (_, index) => newJob(`job-${index}`)));
    await eventually(async () => expect(await engine.counts('default')).toMatchObject({ failed: 3, waiting: 0 }));
    await worker.stop();
    expect(await engine.state({ id: 'job-4997' })).toBe('failed');
    now += KEEP;
    expect((await engine.counts('default')).failed).toBe(0);
    await engine.close();
  });

  it('does not keep the process alive', async () => {
    const before = process.getActiveResourcesInfo();
    const engine = new EmbeddedEngine({ queues: ['default'] });
    await engine.enqueue([newJob('kept'), newJob('delayed', { dueAt: Date.now() + KEEP })]);
    const ended = new Promise((resolve) => engine.watch({ id: 'kept' }, { settled: resolve }));
    engine.work('default', { concurrency: 1, worker: 'host:1' }, () => running(Promise.resolve(completed())));
    await ended;
    await turn();
    expect(process.getActiveResourcesInfo().toSorted()).toEqual(before.toSorted());
    await engine.close();
  });

  it('waits for years without a timer that Node cannot keep', async () => {
    const warnings: string[] = [];
    const collect = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', collect);
    const engine = new EmbeddedEngine({ queues: ['default'] });
    await engine.enqueue([newJob('in ten years', { dueAt: Date.now() + 10 * 365 * 24 * 60 * 60 * 1_000 })]);
    await turn();
    expect(warnings).not.toContain('TimeoutOverflowWarning');
    process.off('warning', collect);
    await engine.close();
  });

  it('goes on when an observer throws, and warns', async () => {
    const engine = new EmbeddedEngine({ queues: ['default'] });
    const warnings: string[] = [];
    const collect = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', collect);
    await engine.enqueue([newJob('watched')]);
    const told: string[] = [];
    engine.watch(
      { id: 'watched' },
      {
        settled: () => {
          throw new Error('Observer broke.');
        },
      },
    );
    engine.watch({ id: 'watched' }, { settled: ({ state }) => told.push(state) });
    engine.work('default', { concurrency: 1, worker: 'host:1' }, () => running(Promise.resolve(completed())));
    await eventually(() => expect(told).toEqual(['completed']));
    await eventually(() => expect(warnings).toContain('Observer broke.'));
    process.off('warning', collect);
    await engine.close();
  });
});
