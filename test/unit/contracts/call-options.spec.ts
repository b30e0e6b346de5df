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
        priority: 'high',
        expires: '1h',
        unique: { key: (to: string) => to, until: '10m', onConflict: 'replace' },
        tags: ['import', 'x'.repeat(100)],
        attempts: 1,
        backoff: { type: 'exponential', delay: 10, factor: 3, max: '1m', jitter: 0.2 },
        timeout: false,
        keepResult: 0,
        metadata: { tenant: 'a' },
        jobId: 'welcome-1',
      }),
    ).not.toThrow();
  });

  it.each([
    { expires: new Date(0) },
    { unique: { until: 'started' } },
    { unique: { until: 'finished', key: undefined, onConflict: undefined } },
    { unique: { until: 1 } },
    { tags: [] },
    { tags: Array.from({ length: 50 }, (_, index) => `tag-${index}`) },
    { jobId: 'unique' },
    { jobId: 'order:rate:1' },
  ])('accepts %j', (options) => {
    expect(validate(options)).not.toThrow();
  });

  it.each([
    [{ priority: 'urgent' }, "priority is 'urgent'. Give 'high', 'normal' or 'low'."],
    [{ priority: 1 }, 'priority is 1.'],
    [{ expires: 0 }, 'expires is 0. Give a duration above 0, or a Date.'],
    [{ expires: 'tomorrow' }, "expires is 'tomorrow', which is no duration"],
    [{ expires: new Date(NaN) }, 'expires is Date. Give a valid Date.'],
    [{ unique: true }, "unique is true. Give an object such as { until: 'finished' }."],
    [{ unique: {} }, "unique.until is undefined. Give 'started', 'finished' or a duration above 0"],
    [{ unique: { until: 'ended' } }, "unique.until is 'ended'."],
    [{ unique: { until: 0 } }, 'unique.until is 0.'],
    [{ unique: { until: 'started', key: 'id' } }, "unique.key is 'id'. Give a function"],
    [{ unique: { until: 'started', onConflict: 'throw' } }, "unique.onConflict is 'throw'. Give 'return', 'reject'"],
    [{ unique: { untl: 'started' } }, "unique has an unknown field 'untl'. Did you mean 'until'?"],
    [{ tags: 'import' }, "tags is 'import'. Give a list of texts, such as ['nightly']."],
    [{ tags: ['a', ''] }, "tags[1] is ''. Give text of 1 to 100 characters."],
    [{ tags: [1] }, 'tags[0] is 1.'],
    [{ tags: ['x'.repeat(101)] }, 'Give text of 1 to 100 characters.'],
    [{ tags: Array.from({ length: 51 }, (_, index) => `${index}`) }, 'tags has 51 tags. Give at most 50.'],
    [{ jobId: 'unique:mail' }, "jobId is 'unique:mail', a name that the queue uses for itself."],
  ])('refuses %j and says what to give', (options, message) => {
    expect(validate(options)).toThrow(InvalidOptionsError);
    expect(validate(options)).toThrow(message);
  });

  it('refuses the names that the queue keeps its own data under', () => {
    const names =
      'high low cancelled expired expiring paced parked gone limits lanes parks removed kept ' +
      'unique:a slots:a parked:a rate:a reserved:a tag:a a:logs';
    for (const jobId of names.split(' ')) expect(validate({ jobId }), jobId).toThrow(/Put a word before it/);
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

  it('unites tags, without doubles', () => {
    expect(mergeCallOptions({ tags: ['a', 'b'] }, { tags: ['b', 'c'] }).tags).toEqual(['a', 'b', 'c']);
    expect(mergeCallOptions({ tags: ['a'] }, {}).tags).toEqual(['a']);
    expect(mergeCallOptions({}, { tags: ['a'] }).tags).toEqual(['a']);
  });

  it('lets the nearer priority, expiry and uniqueness win as a whole', () => {
    const far = { priority: 'high', expires: '1h', unique: { until: 'started', onConflict: 'reject' } } as const;
    const near = { priority: 'normal', expires: 1, unique: { until: 'finished' } } as const;
    expect(mergeCallOptions(far, near)).toEqual(near);
    expect(mergeCallOptions(far, {})).toEqual(far);
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
