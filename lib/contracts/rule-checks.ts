import { expectFields, expectThat, isText, show } from './checks.js';
import { toMilliseconds, type Duration } from './duration.js';
import { InvalidOptionsError } from './errors.js';
import type { OnConflict, Priority } from './job.js';

/** Most tags of one job. */
export const MOST_TAGS = 50;

/** Longest tag, in characters. */
export const LONGEST_TAG = 100;

const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];
const CONFLICTS: readonly OnConflict[] = ['return', 'reject', 'replace'];

export function checkPriority(value: unknown, where: string): void {
  expectThat(PRIORITIES.includes(value as Priority), where, value, `'high', 'normal' or 'low'`);
}

/** An expiry of 0 would let no job start, so it is refused. */
export function checkExpires(value: unknown, where: string): void {
  if (value instanceof Date) {
    expectThat(!Number.isNaN(value.getTime()), where, value, 'a valid Date');
    return;
  }
  expectThat(toMilliseconds(value as Duration, where) > 0, where, value, 'a duration above 0, or a Date');
}

export function checkUnique(value: unknown, where: string): void {
  expectFields(value, ['key', 'until', 'onConflict'], where, `an object such as { until: 'finished' }`);
  const { key, until, onConflict } = value;
  if (key !== undefined) checkKey(key, `${where}.key`);
  checkUntil(until, `${where}.until`);
  if (onConflict === undefined) return;
  expectThat(
    CONFLICTS.includes(onConflict as OnConflict),
    `${where}.onConflict`,
    onConflict,
    `'return', 'reject' or 'replace'`,
  );
}

/** A function of the arguments. Whether it answers text is known only at a call. */
export function checkKey(value: unknown, where: string): void {
  expectThat(
    typeof value === 'function',
    where,
    value,
    'a function that makes a text of the arguments, such as (order) => order.id',
  );
}

export function checkTags(value: unknown, where: string): void {
  if (!Array.isArray(value)) {
    throw new InvalidOptionsError(`${where} is ${show(value)}. Give a list of texts, such as ['nightly'].`);
  }
  expectFewTags(value, where);
  for (const [index, tag] of value.entries()) {
    const fits = isText(tag) && tag.length <= LONGEST_TAG;
    expectThat(fits, `${where}[${index}]`, tag, `text of 1 to ${LONGEST_TAG} characters`);
  }
}

export function expectFewTags(tags: readonly unknown[], where: string): void {
  if (tags.length <= MOST_TAGS) return;
  throw new InvalidOptionsError(`${where} has ${tags.length} tags. Give at most ${MOST_TAGS}.`);
}

function checkUntil(until: unknown, where: string): void {
  if (until === 'started' || until === 'finished') return;
  const expected = `'started', 'finished' or a duration above 0 such as '10m'`;
  expectThat(until !== undefined && isDurationAboveZero(until), where, until, expected);
}

function isDurationAboveZero(value: unknown): boolean {
  try {
    return toMilliseconds(value as Duration, '') > 0;
  } catch {
    return false;
  }
}
