import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { EmbeddedEngine } from '../../../lib/engines/embedded/embedded.engine.js';
import { playModel, steps } from '../../conformance/model.js';

describe('the states of jobs on the embedded engine', () => {
  it('follow the model through any sequence of steps', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const engine = new EmbeddedEngine({ queues: ['default'] });
        await playModel(engine, sequence);
        await engine.close();
      }),
      { numRuns: 300, interruptAfterTimeLimit: 8_000 },
    );
  }, 30_000);
});
