import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPayloadError } from '../../../lib/contracts/errors.js';
import { encodePayload } from '../../../lib/contracts/payload.js';

describe('a payload', () => {
  it('of any JSON value is the same after it was sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(withoutUndefined(JSON.parse(encodePayload(value, 'A value')))).toEqual(withoutUndefined(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of anything else is the same, or refused with the places that JSON would change', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    let refused = 0;
    fc.assert(
      fc.property(anything, (value) => {
        let sent: string;
        try {
          sent = encodePayload(value, 'A value', 'value');
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(InvalidPayloadError);
          expect((error as InvalidPayloadError).issues.every(({ path }) => path.startsWith('value'))).toBe(true);
          return;
        }
        expect(withoutUndefined(JSON.parse(sent))).toEqual(withoutUndefined(value ?? null));
      }),
      { numRuns: 5_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

/** A property that is undefined is no property in JSON, and -0 is 0. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutUndefined(item)]));
}
