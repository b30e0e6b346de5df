import { show } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { CronField, CronFields } from '../contracts/schedule.js';
import { suggest } from '../contracts/suggestion.js';

/** What one field lets through. */
export interface FieldValues {
  /** Sorted, each once. */
  readonly values: readonly number[];
  /** Days that depend on the month, such as `L`, `15W`, `5#2`, `5L`. */
  readonly modifiers: readonly string[];
  /** Whether it is `*`: the only text that does not count as a restriction. */
  readonly isAny: boolean;
}

/** What each field of a cron lets through. */
export interface CronValues extends Readonly<Record<keyof CronFields, FieldValues>> {
  /** Whether a day must fit `day` and `weekday`. False: one of them, where both are restricted. */
  readonly bothDays: boolean;
}

interface FieldRule {
  lowest: number;
  highest: number;
  /** The first is for `lowest`. */
  names?: readonly string[];
  modifier?: RegExp;
  /** More forms, for messages. */
  forms?: string;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

/** From the largest to the smallest, as far as there is an order: a weekday stands beside the day. */
export const FIELD_RULES: Readonly<Record<keyof CronFields, FieldRule>> = {
  month: { lowest: 1, highest: 12, names: MONTHS },
  day: { lowest: 1, highest: 31, modifier: /^(\d+(?=W))?(LW?|(?<=\d)W)$/i, forms: `'L', 'LW' or '15W'` },
  weekday: {
    lowest: 0,
    highest: 6,
    names: WEEKDAYS,
    modifier: /^(\w+?)(L|#[1-5L])$/i,
    forms: `'fri#2' or 'friL'`,
  },
  hour: { lowest: 0, highest: 23 },
  minute: { lowest: 0, highest: 59 },
  second: { lowest: 0, highest: 59 },
};

const PART = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/;

/**
 * Reads one field.
 *
 * @throws InvalidOptionsError naming the field, the value and its range, after `where`
 */
export function parseField(name: keyof CronFields, field: CronField, where: string): FieldValues {
  const values = new Set<number>();
  const modifiers = new Set<string>();
  const parts = (Array.isArray(field) ? field : [field]).flatMap((part: unknown) =>
    typeof part === 'string' ? part.split(',').map((text) => text.trim()) : [part],
  );
  if (parts.length === 0) refuse(where, `${name} is an empty list. Leave it out, or give what it lets through`);
  for (const part of parts) {
    const modifier = typeof part === 'string' ? readModifier(name, part, where) : undefined;
    if (modifier !== undefined) modifiers.add(modifier);
    else for (const value of readPart(name, part, where)) values.add(value);
  }
  return {
    values: [...values].toSorted((one, other) => one - other),
    modifiers: [...modifiers],
    isAny: parts.length === 1 && (parts[0] === '*' || parts[0] === '?'),
  };
}

function readPart(name: keyof CronFields, part: unknown, where: string): number[] {
  const { lowest, highest, forms } = FIELD_RULES[name];
  const [text, first, last, stepText] = (typeof part === 'string' ? PART : /^-?\d+$/).exec(String(part)) ?? [];
  if (text === undefined || (typeof part !== 'string' && typeof part !== 'number')) {
    const known = `a number, '*', a range such as '${lowest}-${lowest + 2}', a step such as '*/2', or a list of these`;
    refuse(where, `${name} ${show(part)} cannot be read. Give ${known}${forms ? `, or ${forms}` : ''}`);
  }
  if (typeof part === 'number') return [turn(name, inRange(name, part, where))];
  const size = highest - lowest + 1;
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step < 1 || step > size) refuse(where, `${name} step ${step} is out of range 1-${size}`);
  if (first === undefined) return count(name, lowest, highest, step);
  const start = readValue(name, first, where);
  if (last !== undefined) return count(name, start, readValue(name, last, where), step);
  return stepText === undefined ? [turn(name, start)] : count(name, turn(name, start), highest, step);
}

/** Counts on over the end of the field where the range does: 22-2 is 22, 23, 0, 1, 2. */
function count(name: keyof CronFields, start: number, last: number, step: number): number[] {
  const { lowest, highest } = FIELD_RULES[name];
  const end = last < start ? last + highest - lowest + 1 : last;
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(turn(name, value));
  return values;
}

/** Brings a value beyond the end back to the start: weekday 7 is 0. */
function turn(name: keyof CronFields, value: number): number {
  const { lowest, highest } = FIELD_RULES[name];
  return value > highest ? value - (highest - lowest + 1) : value;
}

function readModifier(name: keyof CronFields, text: string, where: string): string | undefined {
  const [, value, mark] = FIELD_RULES[name].modifier?.exec(text) ?? [];
  if (mark === undefined) return undefined;
  return `${value === undefined ? '' : turn(name, readValue(name, value, where))}${mark.toUpperCase()}`;
}

function readValue(name: keyof CronFields, text: string, where: string): number {
  if (/^\d+$/.test(text)) return inRange(name, Number(text), where);
  const { lowest, names = [] } = FIELD_RULES[name];
  const word = text.toLowerCase();
  // 'tue', 'tues' and 'tuesday': three letters tell all names apart.
  const index = word.length < 3 ? -1 : names.findIndex((one) => one.startsWith(word));
  if (index >= 0) return lowest + index;
  const advice = names.length > 0 ? suggest(text, names) : `Give numbers of the range ${rangeOf(name)}.`;
  throw new InvalidOptionsError(`${where}: ${name} '${text}' is unknown. ${advice}`);
}

function inRange(name: keyof CronFields, value: number, where: string): number {
  const { lowest } = FIELD_RULES[name];
  const highest = highestWritten(name);
  if (value < lowest || value > highest) refuse(where, `${name} ${value} is out of range ${rangeOf(name)}`);
  return value;
}

function rangeOf(name: keyof CronFields): string {
  return `${FIELD_RULES[name].lowest}-${highestWritten(name)}`;
}

/** Sunday may be written 0 and 7. */
function highestWritten(name: keyof CronFields): number {
  return name === 'weekday' ? 7 : FIELD_RULES[name].highest;
}

function refuse(where: string, problem: string): never {
  throw new InvalidOptionsError(`${where}: ${problem}.`);
}
