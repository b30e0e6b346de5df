import { describe } from 'vitest';
import { cancelledCases } from './cases/cancelled.js';
import { cancelCases } from './cases/cancelling.js';
import { closeCases } from './cases/close.js';
import { deadLetterCases } from './cases/dead-letters.js';
import { entangledCases } from './cases/entangled.js';
import { enqueueCases } from './cases/enqueue.js';
import { expiryCases } from './cases/expiry.js';
import { holdCases } from './cases/holding.js';
import { keepingCases } from './cases/keeping.js';
import { limitCases } from './cases/limits.js';
import { listCases } from './cases/listing.js';
import { moveCases } from './cases/moving.js';
import { outcomeCases } from './cases/outcomes.js';
import { pauseCases } from './cases/pausing.js';
import { priorityCases } from './cases/priority.js';
import { progressCases } from './cases/progress.js';
import { rateCases } from './cases/rates.js';
import { readingCases } from './cases/reading.js';
import { scheduleCases } from './cases/schedules.js';
import { storedScheduleCases } from './cases/stored-schedules.js';
import { slotCases } from './cases/slots.js';
import { tagCases } from './cases/tags.js';
import { replaceCases } from './cases/replacing.js';
import { uniqueCases } from './cases/unique.js';
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
    holdCases(scene);
    outcomeCases(scene);
    keepingCases(scene);
    readingCases(scene);
    watchCases(scene);
    progressCases(scene);
    pauseCases(scene);
    priorityCases(scene);
    expiryCases(scene);
    cancelCases(scene);
    cancelledCases(scene);
    uniqueCases(scene);
    replaceCases(scene);
    limitCases(scene);
    rateCases(scene);
    listCases(scene);
    deadLetterCases(scene);
    moveCases(scene);
    tagCases(scene);
    entangledCases(scene);
    scheduleCases(scene);
    storedScheduleCases(scene);
    closeCases(scene);
  });
}
