import { checkOptions, expectFields, expectThat, isRecord, isText, type Check } from './checks.js';
import { toMilliseconds, type Duration } from './duration.js';
import { InvalidOptionsError } from './errors.js';
import type { JobOptions, StoredBackoff } from './job.js';
import { checkExpires, checkPriority, checkTags, checkUnique } from './rule-checks.js';
import type { Backoff, EnqueueOptions } from './task.js';

const BACKOFF_FIELDS = ['type', 'delay', 'factor', 'max', 'jitter'];

/** Most attempts of a job. One that is to go on for ever throws `Snooze`, which uses none. */
export const MOST_ATTEMPTS = 100_000;

/** Names that Bull's key layout uses for itself: a job of that id would overwrite them. */
const RESERVED_IDS = new Set(
  (
    'active completed de delayed drained failed id limiter meta meta-paused paused priority progress repeat resumed ' +
    'stalled stalled-check wait waiting ' +
    // What this library keeps beside it.
    'cancelled expired expiring gone high kept lanes limits low paced parked parks removed ' +
    'schedules schedules-changed schedules-removed schedules-started schedules-version'
  ).split(' '),
);

const RESERVED_ID_SHAPE = /^(unique|slots|parked|rate|reserved|tag|failed|de|schedule):|:(lock|logs)$/;

/** The options that a task and a call share, each with its check. */
export const CALL_OPTION_CHECKS: Readonly<Record<string, Check>> = {
  delay: (value, where) => void toMilliseconds(value as Duration, where),
  queue: (value, where) => expectThat(isText(value), where, value, 'the name of a declared queue'),
  priority: checkPriority,
  expires: checkExpires,
  unique: checkUnique,
  tags: checkTags,
  attempts: (value, where) => {
    const fits = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MOST_ATTEMPTS;
    expectThat(fits, where, value, `a whole number from 1 to ${MOST_ATTEMPTS.toLocaleString('en')}`);
  },
  backoff: (value, where) => void toStoredBackoff(value as Backoff, where),
  timeout: (value, where) => void toTimeout(value as Duration | false, where),
  keepResult: (value, where) => void toKeep(value as Duration | false, where),
};

const ENQUEUE_OPTION_CHECKS: Readonly<Record<string, Check>> = {
  ...CALL_OPTION_CHECKS,
  at: (value, where) =>
    expectThat(value instanceof Date && !Number.isNaN(value.getTime()), where, value, 'a valid Date'),
  jobId: checkJobId,
  metadata: (value, where) =>
    expectThat(
      isRecord(value) && Object.values(value).every((text) => typeof text === 'string'),
      where,
      value,
      'an object whose values are all text',
    ),
};

/**
 * Checks what a caller gave to `enqueue()` or `with()`.
 *
 * @throws InvalidOptionsError naming the option, the cause and the fix
 */
export function validateEnqueueOptions(options: EnqueueOptions, where: string): void {
  checkOptions(options, ENQUEUE_OPTION_CHECKS, where);
  if (options.delay !== undefined && options.at !== undefined) {
    throw new InvalidOptionsError(`${where} has both delay and at. Give one of them.`);
  }
}

/**
 * Lays options nearer to the call over those further away: metadata is merged, tags are united, `delay` and `at` replace
 * each other.
 */
export function mergeCallOptions(far: EnqueueOptions, near: EnqueueOptions): EnqueueOptions {
  const merged: EnqueueOptions = { ...far };
  for (const [name, value] of Object.entries(near)) {
    if (value !== undefined) Object.assign(merged, { [name]: value });
  }
  if (near.delay !== undefined) delete merged.at;
  if (near.at !== undefined) delete merged.delay;
  if (far.tags && near.tags) merged.tags = [...new Set([...far.tags, ...near.tags])];
  if (far.metadata && near.metadata) merged.metadata = { ...far.metadata, ...near.metadata };
  return merged;
}

/** The part of checked options that travels with a job. */
export function toJobOptions(options: EnqueueOptions): JobOptions {
  const stored: JobOptions = {};
  if (options.attempts !== undefined) stored.attempts = options.attempts;
  if (options.backoff !== undefined) stored.backoff = toStoredBackoff(options.backoff, 'backoff');
  if (options.timeout !== undefined) stored.timeout = toTimeout(options.timeout, 'timeout');
  if (options.keepResult !== undefined) stored.keepResult = toKeep(options.keepResult, 'keepResult');
  return stored;
}

/** Fills in a backoff: a bare duration is fixed; factor 2, at most 10 minutes, no jitter. */
export function toStoredBackoff(backoff: Backoff, where: string): StoredBackoff {
  if (typeof backoff === 'number' || typeof backoff === 'string') {
    return { type: 'fixed', delay: toMilliseconds(backoff, where), factor: 1, max: Number.MAX_SAFE_INTEGER, jitter: 0 };
  }
  expectFields(backoff, BACKOFF_FIELDS, where, `a duration or { type, delay }`);
  const { type, delay, factor = 2, max = '10m', jitter = 0 } = backoff;
  expectThat(type === 'fixed' || type === 'exponential', `${where}.type`, type, `'fixed' or 'exponential'`);
  expectThat(Number.isFinite(factor) && factor >= 1, `${where}.factor`, factor, 'a number from 1 up');
  expectThat(Number.isFinite(jitter) && jitter >= 0 && jitter <= 1, `${where}.jitter`, jitter, 'a number from 0 to 1');
  return {
    type,
    delay: toMilliseconds(delay, `${where}.delay`),
    factor,
    max: type === 'fixed' && backoff.max === undefined ? Number.MAX_SAFE_INTEGER : toMilliseconds(max, `${where}.max`),
    jitter,
  };
}

/** `false`: no limit. A timeout of 0 would fail every run, so it is refused. */
export function toTimeout(timeout: Duration | false, where: string): number | false {
  if (timeout === false) return false;
  const milliseconds = toMilliseconds(timeout, where);
  expectThat(milliseconds > 0, where, timeout, 'a duration above 0, or false for none');
  return milliseconds;
}

/** `false` and 0: nothing is kept. */
export function toKeep(keep: Duration | false, where: string): number {
  return keep === false ? 0 : toMilliseconds(keep, where);
}

function checkJobId(value: unknown, where: string): void {
  expectThat(isText(value) && value.length <= 256, where, value, 'text of 1 to 256 characters');
  const id = value as string;
  if (RESERVED_IDS.has(id) || RESERVED_ID_SHAPE.test(id)) {
    throw new InvalidOptionsError(`${where} is '${id}', a name that the queue uses for itself. Put a word before it.`);
  }
}
