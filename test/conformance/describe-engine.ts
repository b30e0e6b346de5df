import { describe } from 'vitest';
import { closeCases } from './cases/close.js';
import { enqueueCases } from './cases/enqueue.js';
import { keepingCases } from './cases/keeping.js';
import { outcomeCases } from './cases/outcomes.js';
import { pauseCases } from './cases/pausing.js';
import { progressCases } from './cases/progress.js';
import { readingCases } from './cases/reading.js';
import { slotCases } from './cases/slots.js';
import { watchCases } from './cases/watching.js';
import { workCases } from './cases/working.js';
import { Scene, type CreateEngine } from './scene.js';

export type { CreateEngine, EngineHarness } from './scene.js';

/**
 * The definition of an engine, at its port: what passes all of this is one.
 *
 * @param create answers a fresh engine for each test, apart from all others
 */
export function describeEngine(name: string, create: CreateEngine): void {
  describe(`${name} engine`, () => {
    const scene = new Scene(create);
    enqueueCases(scene);
    workCases(scene);
    slotCases(scene);
    outcomeCases(scene);
    keepingCases(scene);
    readingCases(scene);
    watchCases(scene);
    progressCases(scene);
    pauseCases(scene);
    closeCases(scene);
  });
}
