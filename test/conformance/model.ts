import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Engine, EngineWorker, KnownState } from '../../lib/contracts/engine.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { boom, completed, failed, NO_JOBS } from './scene.js';

/** A step of a random sequence; `job` is one of a few ids. */
export type Step =
  | { do: 'enqueue' | 'cancel' | 'retry' | 'remove'; job: number }
  | { do: 'delay'; job: number }
  | { do: 'begin' }
  | { do: 'end'; outcome: keyof typeof OUTCOMES };

const FAR = 3_600_000;

/** How a run may end, and what becomes of its job: its state, or none where nothing is kept. */
const OUTCOMES = {
  completed: [completed('1'), 'completed'],
  forgotten: [completed('1', 0), undefined],
  failed: [failed(), 'failed'],
  'failed and forgotten': [failed(boom, { age: 0, count: 0 }), undefined],
  'tried again': [{ type: 'retry', delay: 0, error: boom }, 'waiting'],
  'tried later': [{ type: 'retry', delay: FAR, error: boom }, 'delayed'],
  snoozed: [{ type: 'snooze', delay: FAR, because: 'snooze' }, 'delayed'],
  'given back': [{ type: 'snooze', delay: 0, because: 'shutdown' }, 'waiting'],
  declined: [{ type: 'declined', delay: 0 }, 'waiting'],
} as const satisfies Record<string, readonly [Outcome, KnownState | undefined]>;

const JOBS = 4;
const job = fc.nat(JOBS - 1);

/** Sequences in which runs are begun and ended as often as jobs are steered. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom('enqueue', 'cancel', 'retry', 'remove', 'delay'), job }),
    fc.constant<Step>({ do: 'begin' }),
    fc.record({ do: fc.constant('end' as const), outcome: fc.constantFrom(...keysOf(OUTCOMES)) }),
  ) as fc.Arbitrary<Step>,
  { minLength: 5, maxLength: 40, size: 'max' },
);

interface ModelJob {
  state: KnownState;
  attemptsMade: number;
}

interface Run {
  id: string;
  /** The job as it was when the run began: one that was made anew under the same id is another. */
  of: ModelJob;
  outcome: Deferred<Outcome>;
  worker: EngineWorker;
}

/** Plays a sequence on an engine and on a model of a few lines, and compares the two after each step. */
export async function playModel(engine: Engine, sequence: readonly Step[]): Promise<void> {
  const known = new Map<string, ModelJob>();
  let run: Run | undefined;

  async function begin(): Promise<void> {
    const waiting = [...known].filter(([, { state }]) => state === 'waiting').map(([id]) => id);
    if (run || waiting.length === 0) return;
    const outcome = deferred<Outcome>();
    const begun = deferred<string>();
    const worker = engine.work('default', { concurrency: 1, worker: 'host:1' }, ({ id }) => {
      begun.resolve(id);
      return { outcome: outcome.promise, abort: () => undefined };
    });
    const id = await begun.promise;
    expect(waiting).toContain(id);
    const of = known.get(id)!;
    of.state = 'active';
    run = { id, of, outcome, worker };
  }

  async function end(name: keyof typeof OUTCOMES): Promise<void> {
    if (!run) return;
    const { id, of, outcome, worker } = run;
    run = undefined;
    const [told, state] = OUTCOMES[name];
    const stopped = worker.stop();
    outcome.resolve(told);
    await stopped;
    // The outcome of a run that was cancelled is dropped.
    if (known.get(id) !== of || of.state !== 'active') return;
    if (state === undefined) known.delete(id);
    else of.state = state;
    if (told.type === 'retry' || told.type === 'failed') of.attemptsMade++;
  }

  async function take(step: Step): Promise<void> {
    if (step.do === 'begin') return begin();
    if (step.do === 'end') return end(step.outcome);
    const id = `job-${step.job}`;
    const found = known.get(id);
    switch (step.do) {
      case 'enqueue':
      case 'delay': {
        const dueAt = step.do === 'delay' ? Date.now() + FAR : undefined;
        const [{ deduplicated }] = await engine.enqueue([newJob(id, { dueAt })]);
        expect(deduplicated).toBe(found !== undefined);
        if (!found) known.set(id, { state: dueAt ? 'delayed' : 'waiting', attemptsMade: 0 });
        return;
      }
      case 'cancel': {
        const may = found !== undefined && ['waiting', 'delayed', 'active'].includes(found.state);
        expect(await engine.cancel([{ id }])).toEqual([may]);
        if (may) found.state = 'cancelled';
        return;
      }
      case 'retry': {
        const may = found !== undefined && ['failed', 'cancelled', 'expired'].includes(found.state);
        expect(await engine.retry([{ id }])).toEqual([may]);
        // It is another try from now on, whatever a run that still goes on may answer.
        if (may) known.set(id, { state: 'waiting', attemptsMade: 0 });
        return;
      }
      case 'remove': {
        const may = found !== undefined && found.state !== 'active';
        expect(await engine.remove([{ id }])).toEqual([may]);
        if (may) known.delete(id);
      }
    }
  }

  async function compare(): Promise<void> {
    const counts = { ...NO_JOBS };
    for (const { state } of known.values()) counts[state]++;
    expect(await engine.counts('default')).toEqual(counts);
    const ids = Array.from({ length: JOBS }, (_one, index) => `job-${index}`);
    const records = await engine.find(ids.map((id) => ({ id })));
    const found = records.map((record) => record && { state: record.state, attemptsMade: record.attemptsMade });
    expect(found).toEqual(ids.map((id) => known.get(id)));
  }

  try {
    for (const step of sequence) {
      await take(step);
      // A worker that stops may give a job back a moment later.
      await eventually(compare, { timeout: 2_000 });
    }
  } finally {
    await end('completed');
  }
}

function keysOf<K extends string>(object: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(object) as K[];
}
