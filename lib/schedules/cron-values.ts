import { expectFields } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { CronField, CronFields } from '../contracts/schedule.js';
import { suggest } from '../contracts/suggestion.js';
import { FIELD_RULES, parseField, type CronValues, type FieldValues } from './cron-field.js';

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

/**
 * Reads a cron, text or fields, as the values that it lets through.
 *
 * @throws InvalidOptionsError when it cannot be read
 */
export function parseCron(cron: string | CronFields, where: string): CronValues {
  const place = typeof cron === 'string' ? `${where} '${cron}'` : where;
  return typeof cron === 'string' ? parseText(cron, place) : parseObject(cron, place);
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
