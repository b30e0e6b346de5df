import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TasksError } from '../../../lib/contracts/errors.js';
import type { JobRecord } from '../../../lib/contracts/job.js';
import { readJobRecord, readTakenJob, type TakenValue } from '../../../lib/engines/bull/stored-job.js';
import { readRuns } from '../../../lib/engines/bull/stored-runs.js';
import { decodeArguments } from '../../../lib/runner/run-payload.js';
import { aJob } from '../runner/runner-fixture.js';

/** What may stand in Redis: any bytes as text, and JSON of any shape. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.json(),
  fc.json().map((json) => json.slice(0, -1)),
  fc.constantFrom('', '0', '-1', '1e999', 'NaN', 'null', '{}', '[]', '{"spread":1}', '{"__proto__":{"x":1}}'),
);
const value = fc.option(text, { nil: null });
const states: JobRecord['state'][] = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'expired'];

const FIELDS = (
  'name data opts timestamp delay priority attemptsMade stalledCounter runs metadata deid rules processedOn ' +
  'finishedOn keptUntil worker progress returnvalue failedReason'
).split(' ');
const hash = fc.dictionary(fc.constantFrom(...FIELDS), text);

describe('what is read from Redis, whatever stands there', () => {
  it('is a job that can be run', () => {
    const taken: fc.Arbitrary<TakenValue[]> = fc
      .tuple(fc.array(value, { maxLength: 5 }), fc.option(fc.array(value, { maxLength: 6 }), { nil: null }))
      .map(([values, rest]) => [...values, rest]);
    fc.assert(
      fc.property(taken, (values) => {
        const { job } = readTakenJob('mail', values, 0);
        expect([job.id, job.task, job.args].map((read) => typeof read)).toEqual(['string', 'string', 'string']);
        for (const count of [job.attemptsMade, job.crashes, job.enqueuedAt]) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
        expect(Array.isArray(job.runs) && typeof job.options === 'object' && typeof job.metadata === 'object').toBe(
          true,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('is a record that can be shown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...states), hash, (state, fields) => {
        const record = readJobRecord('mail', 'job-1', state, fields);
        expect(record.runs.every((run) => typeof run === 'object' && run !== null)).toBe(true);
        if (state === 'failed') expect(typeof record.error?.message).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is a list of runs', () => {
    fc.assert(
      fc.property(value, (runs) => {
        expect(Array.isArray(readRuns(runs))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is arguments, or refused with an error of this library', () => {
    fc.assert(
      fc.property(text, (args) => {
        let read: unknown;
        try {
          read = decodeArguments(aJob({ args }));
        } catch (error) {
          expect(error).toBeInstanceOf(TasksError);
          return;
        }
        expect(Array.isArray(read)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
