import { Logger } from '@nestjs/common';
import { afterAll, expect, it } from 'vitest';
import { EVERYWHERE, type Difference } from './differences.js';
import { toTrace, type Trace } from './normal-form.js';
import { BullStage, EngineStage, type Producer, type Stage } from './stage.js';

/** What happens on a queue. It captures what is to be compared; its last capture is made after it has returned. */
export type Scenario = (stage: Stage) => Promise<void>;

export interface DifferentialOptions {
  /** Differences that this scenario has beside those found everywhere; one that does not occur fails the test. */
  known?: readonly Difference[];
  /** Who adds the jobs that our worker runs. @default both */
  producers?: readonly Producer[];
}

const WHOSE: Record<Producer, string> = { engine: 'jobs of our engine', plain: 'jobs of a plain Bull producer' };

/** Plays a scenario with Bull's worker and with ours, and compares every key and every event. */
export function differential(title: string, scenario: Scenario, options: DifferentialOptions = {}): void {
  const { known = [], producers = ['engine', 'plain'] } = options;
  for (const producer of producers) {
    it(`${title} (${WHOSE[producer]})`, async () => {
      const [bull, ours] = await Promise.all([
        play(new BullStage(), scenario),
        play(new EngineStage(producer), scenario),
      ]);
      compare(bull, ours, { known, producer });
    });
  }
}

/** Fails unless both traces are the same but for the named differences. */
export function compare(
  bull: Trace,
  ours: Trace,
  { known, producer }: { known: readonly Difference[]; producer: Producer },
): void {
  for (const difference of [...EVERYWHERE, ...known]) {
    if (difference.producer && difference.producer !== producer) continue;
    const before = JSON.stringify([bull, ours]);
    difference.level(bull, 'bull');
    difference.level(ours, 'ours');
    const occurs = JSON.stringify([bull, ours]) !== before;
    if (known.includes(difference)) expect(occurs, `the known difference occurs: ${difference.what}`).toBe(true);
  }
  expect(ours).toEqual(bull);
}

async function play(stage: Stage, scenario: Scenario): Promise<Trace> {
  // Lost locks are part of some scenarios.
  Logger.overrideLogger(false);
  await stage.open();
  try {
    await scenario(stage);
    await stage.events.upToNow();
    await stage.capture('at the end');
    return toTrace(stage);
  } finally {
    // Bull takes half a second to close a worker that waits; the next test need not.
    closing.push(stage.close());
  }
}

const closing: Promise<void>[] = [];

afterAll(async () => {
  await Promise.all(closing.splice(0));
});
