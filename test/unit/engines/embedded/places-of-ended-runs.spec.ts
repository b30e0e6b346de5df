import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActiveJob, ActiveRun, NewJob } from '../../../../lib/contracts/engine.js';
import { TaskCancelledError, type TasksError } from '../../../../lib/contracts/errors.js';
import type { OnConflict } from '../../../../lib/contracts/job.js';
import type { Outcome } from '../../../../lib/contracts/outcome.js';
import { EmbeddedEngine } from '../../../../lib/engines/embedded/embedded.engine.js';
import { deferred, eventually } from '../../../support/eventually.js';
import { newJob } from '../../../support/new-job.js';

const COMPLETED: Outcome = { type: 'completed', keep: 60_000 };
const RETRY: Outcome = { type: 'retry', delay: 0, error: { name: 'Error', message: 'Again.' } };

/** A run whose task goes on after its outcome, until the test ends it. */
class LongRun implements ActiveRun {
  private readonly told = deferred<Outcome>();
  private readonly over = deferred();
  readonly outcome = this.told.promise;
  readonly ended = this.over.promise;
  reason?: TasksError;

  constructor(readonly job: ActiveJob) {}

  abort(reason: TasksError): void {
    this.reason = reason;
  }

  tell(outcome: Outcome): void {
    this.told.resolve(outcome);
  }

  end(): void {
    this.tell(COMPLETED);
    this.over.resolve();
  }
}

let engine: EmbeddedEngine;
let runs: LongRun[];

beforeEach(() => {
  engine = new EmbeddedEngine({ queues: ['default', 'mail'] });
  runs = [];
  engine.work('default', { concurrency: 10, worker: 'host:1' }, (job) => {
    const run = new LongRun(job);
    runs.push(run);
    return run;
  });
});
afterEach(() => engine.close());

/** The run that was started as this one, from 1. */
async function started(count: number): Promise<LongRun> {
  return eventually(() => {
    expect(runs).toHaveLength(count);
    return runs[count - 1];
  });
}

/** Whatever the engine was about to do has been done. */
async function settled(): Promise<void> {
  await engine.enqueue([newJob('last')]);
  const ofLast = await eventually(() => {
    const run = runs.find(({ job }) => job.id === 'last');
    expect(run).toBeDefined();
    return run!;
  });
  runs.splice(runs.indexOf(ofLast), 1);
  ofLast.end();
  await eventually(async () => expect(await engine.state({ id: 'last' })).toBe('completed'));
  await engine.remove([{ id: 'last' }]);
}

const limited = (id: string): NewJob => newJob(id, { rules: { concurrency: { key: 'key', max: 1 } } });
const unique = (id: string, onConflict: OnConflict): NewJob =>
  newJob(id, { rules: { unique: { key: 'key', until: 'finished', onConflict } } });

describe('a run that goes on after its job was cancelled', () => {
  it('keeps the place of its limit until it ends, whatever else is done to the job', async () => {
    await engine.enqueue([limited('a'), limited('b')]);
    const run = await started(1);
    await engine.cancel([{ id: 'a' }]);
    await engine.retry([{ id: 'a' }]);
    await engine.cancel([{ id: 'a' }]);
    await engine.remove([{ id: 'a' }]);
    run.tell(COMPLETED);
    await settled();
    expect(runs).toHaveLength(1);
    run.end();
    expect((await started(2)).job.id).toBe('b');
  });

  it('holds back the job that is to replace it', async () => {
    await engine.enqueue([unique('a', 'return')]);
    const run = await started(1);
    await engine.enqueue([unique('b', 'replace')]);
    await engine.cancel([{ id: 'a' }]);
    await settled();
    expect(runs).toHaveLength(1);
    run.end();
    expect((await started(2)).job.id).toBe('b');
  });

  it('holds back its own job when that is retried, and is not asked what became of it', async () => {
    await engine.enqueue([newJob('a')]);
    const run = await started(1);
    await engine.cancel([{ id: 'a' }]);
    expect(await engine.retry([{ id: 'a' }])).toEqual([true]);
    run.tell(RETRY);
    await settled();
    expect(runs).toHaveLength(1);
    run.end();
    await started(2);
    const [record] = await engine.find([{ id: 'a' }]);
    expect(record).toMatchObject({ state: 'active', attemptsMade: 0 });
    expect(record!.runs.map(({ outcome }) => outcome)).toEqual(['cancelled', undefined]);
  });

  it('keeps its job from being moved', async () => {
    await engine.enqueue([newJob('a')]);
    const run = await started(1);
    await engine.cancel([{ id: 'a' }]);
    expect(await engine.move([{ id: 'a' }], 'mail')).toEqual([false]);
    run.end();
    await eventually(async () => expect(await engine.move([{ id: 'a' }], 'mail')).toEqual([true]));
  });
});

describe('a run that goes on after the outcome of its job', () => {
  it('holds back the job that is to replace it, also when its own job is removed', async () => {
    await engine.enqueue([unique('a', 'return')]);
    const run = await started(1);
    await engine.enqueue([unique('b', 'replace')]);
    run.tell(RETRY);
    await eventually(async () => expect(await engine.state({ id: 'a' })).toBe('waiting'));
    expect(await engine.remove([{ id: 'a' }])).toEqual([true]);
    await settled();
    expect(runs).toHaveLength(1);
    run.end();
    expect((await started(2)).job.id).toBe('b');
  });
});

describe('a job that was to replace a running one', () => {
  it('leaves the key to that when it is cancelled', async () => {
    await engine.enqueue([unique('a', 'return')]);
    await started(1);
    await engine.enqueue([unique('b', 'replace')]);
    await engine.cancel([{ id: 'b' }]);
    expect(await engine.enqueue([unique('c', 'return')])).toEqual([{ id: 'a', deduplicated: true }]);
  });
});

describe('a run that cancels its own job while it is being started', () => {
  it('is aborted, and its outcome dropped', async () => {
    const reasons: TasksError[] = [];
    engine.work('mail', { concurrency: 1, worker: 'host:1' }, ({ id }) => {
      void engine.cancel([{ id }]);
      return { outcome: Promise.resolve(COMPLETED), abort: (reason) => reasons.push(reason) };
    });
    await engine.enqueue([newJob('a', { queue: 'mail' })]);
    await eventually(() => expect(reasons).toEqual([expect.any(TaskCancelledError)]));
    expect(await engine.state({ id: 'a' })).toBe('cancelled');
  });
});
