import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  DuplicateJobError,
  EngineUnavailableError,
  InvalidPayloadError,
  TaskTimeoutError,
} from '../../../lib/contracts/errors.js';
import { carry, uncarry } from '../../../lib/threads/carried-error.js';

/** As it is after it was sent to another thread. */
function sent(thrown: unknown): Error {
  return uncarry(structuredClone(carry(thrown)));
}

describe('an error on its way between threads', () => {
  it.each([
    new TaskTimeoutError('too long'),
    new DuplicateJobError('taken', 'job-1'),
    new EngineUnavailableError('away', { sent: true, jobId: 'job-2', cause: new TypeError('refused') }),
    new InvalidPayloadError('wrong', [{ path: 'a', message: 'no' }]),
  ])('keeps its class, code, fields and cause: $name', (error) => {
    const arrived = sent(error);
    expect(arrived).toBeInstanceOf(error.constructor);
    expect(arrived).toEqual(error);
    expect(Object.entries(arrived)).toEqual(expect.arrayContaining(Object.entries(error)));
    expect(arrived.stack).toBe(error.stack);
    expect(String(arrived)).toBe(String(error));
    expect((arrived.cause as Error | undefined)?.message).toBe((error.cause as Error | undefined)?.message);
  });

  it('keeps name, message, stack and code of any other', () => {
    const error = Object.assign(new RangeError('off'), { code: 'E_OFF', detail: { at: 3 } });
    const arrived = sent(error);
    expect(arrived).toMatchObject({ name: 'RangeError', message: 'off', code: 'E_OFF', detail: { at: 3 } });
    expect(inspect(arrived)).toContain('carried-error.spec');
  });

  it.each([
    ['a text', 'plain', 'plain'],
    ['nothing', undefined, 'undefined'],
  ])('is made of %s as well', (_, thrown, message) => {
    expect(sent(thrown)).toMatchObject({ name: 'Error', message });
  });

  it('leaves out what cannot be sent, and ends a circle of causes', () => {
    const error = Object.assign(new Error('round'), { socket: () => undefined, made: { by: () => undefined } });
    error.cause = error;
    expect(sent(error)).toMatchObject({ message: 'round', cause: { message: 'round' } });
    expect(sent(error)).not.toHaveProperty('socket');
    expect(sent(error)).not.toHaveProperty('made');
  });
});
