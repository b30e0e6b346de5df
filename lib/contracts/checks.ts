import { InvalidOptionsError, TasksError } from './errors.js';
import { suggest } from './suggestion.js';

/** Throws InvalidOptionsError where the value of an option is not as it has to be; `where` names place and option. */
export type Check = (value: unknown, where: string) => void;

/** Takes a step; what is wrong there is noted, so that the next mistake is told along with it. */
export type Collect = <T>(step: () => T) => T | undefined;

/** Notes errors of this library among the problems; any other is thrown. */
export function collectInto(problems: TasksError[]): Collect {
  return (step) => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof TasksError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
}

/** Checks every given option against the list of known ones; `undefined` counts as not given. */
export function checkOptions(options: object, checks: Readonly<Record<string, Check>>, where: string): void {
  if (!isRecord(options)) throw new InvalidOptionsError(`${where} takes an object of options, not ${show(options)}.`);
  checkNames(options, Object.keys(checks), where, 'option');
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) checks[name](value, `${where}: ${name}`);
  }
}

/** Checks that the value of one option is an object with known fields only. */
export function expectFields(
  value: unknown,
  fields: readonly string[],
  where: string,
  expected: string,
): asserts value is Record<string, unknown> {
  expectThat(isRecord(value), where, value, expected);
  checkNames(value as object, fields, where, 'field');
}

/** Throws `<where> is <value>. Give <expected>.` unless the value fits. */
export function expectThat(fits: boolean, where: string, value: unknown, expected: string): void {
  if (!fits) throw new InvalidOptionsError(`${where} is ${show(value)}. Give ${expected}.`);
}

export function expectCount(value: unknown, where: string): void {
  expectThat(Number.isSafeInteger(value) && (value as number) >= 1, where, value, 'a whole number from 1 up');
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in the words of a message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'an object') : String(value);
}

function checkNames(given: object, known: readonly string[], where: string, kind: 'option' | 'field'): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new InvalidOptionsError(`${where} has an unknown ${kind} '${name}'. ${suggest(name, known)}`);
  }
}
