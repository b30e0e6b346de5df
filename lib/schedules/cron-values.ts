import { expectFields } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { CronField, CronFields } from '../contracts/schedule.js';
import { suggest } from '../contracts/suggestion.js';
import { Calendar, type CronValues } from './calendar.js';
import { FIELD_RULES, parseField, type FieldValues } from './cron-field.js';

const NAMES = Object.keys(FIELD_RULES) as (keyof CronFields)[];

/** In the order of the text. */
const IN_TEXT: readonly (keyof CronFields)[] = ['second', 'minute', 'hour', 'day', 'month', 'weekday'];

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** The most days that a month ever has. */
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Every date that there is comes again after this one. */
const LONG_AGO = Date.UTC(2000, 0, 1);

/**
 * Reads a cron, text or fields, as the values that it lets through.
 *
 * @throws InvalidOptionsError when it cannot be read, or would never be due
 */
export function parseCron(cron: string | CronFields, where: string): CronValues {
  const place = typeof cron === 'string' ? `${where} '${cron}'` : where;
  const values = typeof cron === 'string' ? parseText(cron, place) : parseObject(cron, place);
  expectDue(values, place);
  return values;
}

function parseText(text: string, place: string): CronValues {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return parseNickname(trimmed, place);
  const fields = trimmed === '' ? [] : trimmed.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw new InvalidOptionsError(
      `${place} has ${fields.length} fields. ` +
        `Give five (minute, hour, day of the month, month, weekday), or six with the second before them.`,
    );
  }
  if (fields.length === 5) fields.unshift('0');
  return toValues((name) => parseField(name, fields[IN_TEXT.indexOf(name)], place), false);
}

function parseNickname(text: string, place: string): CronValues {
  const expression = Object.hasOwn(NICKNAMES, text.toLowerCase()) ? NICKNAMES[text.toLowerCase()] : undefined;
  if (expression !== undefined) return parseText(expression, place);
  throw new InvalidOptionsError(`${place} is an unknown name. ${suggest(text, Object.keys(NICKNAMES))}`);
}

/** `NAMES` goes from the largest field to the smallest, so what stands before the first given one is any. */
function parseObject(fields: CronFields, place: string): CronValues {
  expectFields(fields, NAMES, place, `cron text such as '0 2 * * *', or fields such as { hour: 2 }`);
  const largest = NAMES.findIndex((name) => fields[name] !== undefined);
  if (largest < 0) {
    throw new InvalidOptionsError(`${place} has no field. Give at least one, such as { hour: 2 }.`);
  }
  const given = (name: keyof CronFields): CronField => {
    const field = (fields as CronFields)[name];
    if (field !== undefined) return field;
    if (name === 'weekday' || NAMES.indexOf(name) < largest) return '*';
    if (name === 'day') return fields.weekday === undefined ? 1 : '*';
    return 0;
  };
  return toValues((name) => parseField(name, given(name), place), true);
}

function toValues(read: (name: keyof CronFields) => FieldValues, bothDays: boolean): CronValues {
  const [month, day, weekday, hour, minute, second] = NAMES.map(read);
  return { month, day, weekday, hour, minute, second, bothDays };
}

/** Refuses a date that no year has, such as 30 February. A search would not end; days that depend on the month need one. */
function expectDue(values: CronValues, place: string): void {
  const { month, day, weekday, bothDays } = values;
  if (day.modifiers.length > 0 || weekday.modifiers.length > 0) {
    if (new Calendar(values).after(LONG_AGO) !== undefined) return;
    throw new InvalidOptionsError(`${place} would never be due: no month has such a day. Give days that meet.`);
  }
  const weekdayMayFit = !bothDays && !day.isAny && !weekday.isAny;
  if (weekdayMayFit || month.values.some((one) => day.values[0] <= LONGEST_MONTHS[one - 1])) return;
  throw new InvalidOptionsError(
    `${place} would never be due: there is no day ${day.values.join(', ')} in month ${month.values.join(', ')}. ` +
      `Give a day that the month has, or 'L' for its last one.`,
  );
}
