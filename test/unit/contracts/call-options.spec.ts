import { describe, expect, it } from 'vitest';
import { mergeCallOptions, toJobOptions, validateEnqueueOptions } from '../../../lib/contracts/call-options.js';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';
import type { EnqueueOptions } from '../../../lib/contracts/task.js';

const validate = (options: unknown) => () => validateEnqueueOptions(options as EnqueueOptions, 'enqueue()');

describe('validateEnqueueOptions', () => {
  it('accepts every option', () => {
    expect(
      validate({
        delay: '5s',
        queue: 'mail',
        attempts: 1,
        backoff: { type: 'exponential', delay: 10, factor: 3, max: '1m', jitter: 0.2 },
        timeout: false,
        keepResult: 0,
        metadata: { tenant: 'a' },
        jobId: 'welcome-1',
      }),
    ).not.toThrow();
  });

  it('takes an undefined option as not given', () => {
    expect(validate({ delay: undefined, at: new Date(), attempts: undefined })).not.toThrow();
  });

  it('suggests the option that was meant', () => {
    expect(validate({ attemps: 3 })).toThrow(/enqueue\(\) has an unknown option 'attemps'. Did you mean 'attempts'\?/);
  });

  it('refuses delay and at in one place', () => {
    expect(validate({ delay: 1, at: new Date() })).toThrow(/both delay and at/);
  });

  it.each([
    { delay: -1 },
    { at: 'tomorrow' },
    { at: new Date(NaN) },
    { queue: '' },
    { attempts: 0 },
    { attempts: 1.5 },
    { attempts: '3' },
    { backoff: 'soon' },
    { backoff: { type: 'linear', delay: 1 } },
    { backoff: { type: 'fixed' } },
    { backoff: { type: 'fixed', delay: 1, jiter: 1 } },
    { backoff: { type: 'exponential', delay: 1, factor: 0 } },
    { backoff: { type: 'fixed', delay: 1, jitter: 2 } },
    { timeout: 0 },
    { timeout: true },
    { keepResult: true },
    { metadata: { count: 1 } },
    { metadata: [] },
    { jobId: '' },
    { jobId: 'x'.repeat(257) },
    { jobId: 'wait' },
    { jobId: 'a:lock' },
    null,
    [],
    'mail',
  ])('refuses %j', (options) => {
    expect(validate(options)).toThrow(InvalidOptionsError);
  });
});

describe('mergeCallOptions', () => {
  it('lets the nearer option win and keeps the others', () => {
    expect(mergeCallOptions({ attempts: 1, queue: 'a' }, { attempts: 2 })).toEqual({ attempts: 2, queue: 'a' });
  });

  it('does not let undefined win', () => {
    expect(mergeCallOptions({ attempts: 1 }, { attempts: undefined })).toEqual({ attempts: 1 });
  });

  it('lets delay and at replace each other', () => {
    const at = new Date();
    expect(mergeCallOptions({ delay: 1 }, { at })).toEqual({ at });
    expect(mergeCallOptions({ at }, { delay: 1 })).toEqual({ delay: 1 });
  });

  it('merges metadata', () => {
    expect(mergeCallOptions({ metadata: { a: '1', b: '1' } }, { metadata: { b: '2' } }).metadata).toEqual({
      a: '1',
      b: '2',
    });
  });
});

describe('toJobOptions', () => {
  it('stores only what is set, in milliseconds', () => {
    expect(toJobOptions({})).toEqual({});
    expect(toJobOptions({ queue: 'a', attempts: 2, timeout: '1s', keepResult: false })).toEqual({
      attempts: 2,
      timeout: 1000,
      keepResult: 0,
    });
  });

  it('fills in a backoff: a bare duration is fixed, factor 2, at most 10 minutes, no jitter', () => {
    expect(toJobOptions({ backoff: '1s' }).backoff).toMatchObject({ type: 'fixed', delay: 1000, jitter: 0 });
    expect(toJobOptions({ backoff: { type: 'exponential', delay: '1s' } }).backoff).toEqual({
      type: 'exponential',
      delay: 1000,
      factor: 2,
      max: 600_000,
      jitter: 0,
    });
  });
});
