import type { JobRules, ScheduleOfJob } from '../../contracts/job.js';
import { isNumber, isRecord, isText, readJson } from './stored-json.js';

/**
 * The rules of a job. Parts of a wrong shape count as absent, as in `read_rules` of shared.lua: a job must not escape
 * its task's limits by rules that no script heeds.
 */
export function readRules(text: string): JobRules | undefined {
  const stored = readJson<Record<string, unknown>>(text);
  if (!isRecord(stored)) return undefined;
  const rules: Record<string, unknown> = { ...stored };
  for (const [name, fits] of CHECKS) if (name in rules && !fits(rules[name])) delete rules[name];
  if (Array.isArray(rules.tags)) rules.tags = rules.tags.filter(isText);
  if (isRecord(rules.schedule)) rules.schedule = readSchedule(rules.schedule);
  return rules;
}

/** Dates are made of the instants, and an invalid one throws where it is written as text. */
function readSchedule({ name, tick, previousTick, missed }: Record<string, unknown>): ScheduleOfJob {
  return {
    name: name as string,
    ...(isInstant(tick) && { tick }),
    ...(isInstant(previousTick) && { previousTick }),
    missed: isNumber(missed) ? missed : 0,
  };
}

function isInstant(value: unknown): value is number {
  return isNumber(value) && !Number.isNaN(new Date(value).getTime());
}

const isAboveZero = (value: unknown): boolean => isNumber(value) && value > 0;

const CHECKS: readonly [part: keyof JobRules, fits: (value: unknown) => boolean][] = [
  ['priority', (value) => value === 'high' || value === 'low'],
  ['expiresAt', isNumber],
  ['unique', isKeyed],
  ['concurrency', (value) => isKeyed(value) && isAboveZero(value.max)],
  ['rate', (value) => isKeyed(value) && isAboveZero(value.max) && isAboveZero(value.per)],
  ['tags', Array.isArray],
  ['schedule', (value) => isRecord(value) && isText(value.name)],
];

function isKeyed(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && isText(value.key);
}
