import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expectThat } from './checks.js';
import { InvalidPayloadError } from './errors.js';
import { isRedacted, type Redact } from './redaction.js';

/** Issues that a message lists; the error has them all. */
const MOST_LISTED = 10;

/** The arguments that the task gets, or why it gets none. */
export type Fit = { args: readonly unknown[] } | { refusal: InvalidPayloadError };

/** Thrown in place of the task's call where its arguments do not fit: the job fails at once, whatever attempts are left. */
export class RefusedArguments extends Error {
  constructor(readonly refusal: InvalidPayloadError) {
    super(refusal.message);
    this.name = 'RefusedArguments';
  }
}

/** Refuses what has no `~standard.validate`. Schemas of some libraries are functions. */
export function checkSchema(value: unknown, where: string): void {
  const isOne =
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<StandardSchemaV1>)['~standard']?.validate === 'function';
  expectThat(
    isOne,
    where,
    value,
    `a schema with '~standard'.validate, as zod, valibot, arktype and others make them (standardschema.dev)`,
  );
}

/**
 * Puts the first argument through a schema; the other ones stay as they are. A promise only where the schema answers one.
 *
 * @throws whatever the schema throws
 */
export function fitArguments(
  schema: StandardSchemaV1,
  args: readonly unknown[],
  task: string,
  redact?: Redact,
): Fit | Promise<Fit> {
  const result = schema['~standard'].validate(args[0]);
  return result instanceof Promise
    ? result.then((settled) => fit(settled, args, task, redact))
    : fit(result, args, task, redact);
}

function fit(
  result: StandardSchemaV1.Result<unknown>,
  args: readonly unknown[],
  task: string,
  redact: Redact | undefined,
): Fit {
  if (!result.issues) return { args: [result.value, ...args.slice(1)] };
  const issues = result.issues.map(({ path = [], message }) => {
    const keys = path.map(keyOf);
    // Many libraries quote the value that they refuse.
    const isHidden = isRedacted(redact, args, [0, ...keys]);
    return {
      path: `arguments[0]${keys.map(step).join('')}`,
      message: isHidden ? 'it does not fit; redact hides the value' : message,
    };
  });
  const listed = issues.slice(0, MOST_LISTED).map(({ path, message }) => `${path}: ${message}`);
  if (issues.length > MOST_LISTED) listed.push(`and ${issues.length - MOST_LISTED} more`);
  const message = `The arguments of ${task} do not fit its schema. ${listed.join('; ')}`;
  return { refusal: new InvalidPayloadError(message, issues) };
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'number' ? key : String(key);
}

/** One step of a path, as it is written in code. */
function step(key: string | number): string {
  return typeof key === 'number' ? `[${key}]` : `.${key}`;
}
