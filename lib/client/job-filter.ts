import { checkOptions, expectThat, isRecord, isText, show, type Check } from '../contracts/checks.js';
import type { KnownState } from '../contracts/engine.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { JobRecord, JobState } from '../contracts/job.js';
import { readArguments } from '../contracts/job-view.js';
import { encodePayload } from '../contracts/payload.js';
import { canonicalJson } from '../limits/unique-key.js';

/** Which jobs are meant: those that match every given field. */
export interface JobFilter {
  /** Absent: every declared queue. */
  queue?: string;
  task?: string;
  state?: JobState;
  tag?: string;
  /** Looked for in task, arguments and error message, whether in capitals or not. */
  text?: string;
  /** Fields that the first argument has, with these values. */
  args?: Readonly<Record<string, unknown>>;
}

/** How to follow and to stop what is done to many jobs. */
export interface BulkOptions {
  /** Called after each batch, with how many of the jobs that matched were gone through. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Stops between two batches: the call rejects with the signal's reason, and what was done stays done. */
  signal?: AbortSignal;
}

/** Every state that a job may be found in. */
export const KNOWN_STATES: readonly KnownState[] = [
  'waiting',
  'delayed',
  'active',
  'completed',
  'failed',
  'cancelled',
  'expired',
];

const expectText: Check = (value, where) => expectThat(isText(value), where, value, 'text of at least one character');

/** The fields of a filter, each with its check. */
export const FILTER_CHECKS: Readonly<Record<keyof JobFilter, Check>> = {
  queue: expectText,
  task: expectText,
  state: (value, where) =>
    expectThat(KNOWN_STATES.includes(value as KnownState), where, value, `one of ${list(KNOWN_STATES)}`),
  tag: expectText,
  text: expectText,
  args: checkArgs,
};

/**
 * Checks the filter of a call that acts on what matches, and answers the states that it can act on.
 *
 * @param states on which the call can act
 * @throws InvalidOptionsError for an empty filter, an unknown field, and a state on which the call cannot act
 */
export function checkFilter(filter: JobFilter, states: readonly KnownState[], where: string): readonly KnownState[] {
  const given: unknown = filter;
  if (!isRecord(given)) {
    throw new InvalidOptionsError(`${where} takes a filter such as { tag: 'nightly' }, not ${show(given)}.`);
  }
  checkOptions(filter, FILTER_CHECKS, where);
  if (Object.values(filter).every((value) => value === undefined)) {
    throw new InvalidOptionsError(
      `${where} has an empty filter, which would mean every job there is. ` +
        `Give at least one of ${list(Object.keys(FILTER_CHECKS))}.`,
    );
  }
  const { state } = filter;
  if (state === undefined) return states;
  const wanted = states.filter((one) => one === state);
  if (wanted.length > 0) return wanted;
  throw new InvalidOptionsError(
    `${where} cannot act on jobs in state '${state}'. Give one of ${list(states)}, or no state for all of them.`,
  );
}

/** Whether a filter asks for more than an engine looks at itself, which is queue, state and tag. */
export function hasOwnConditions({ task, text, args }: JobFilter): boolean {
  return task !== undefined || text !== undefined || args !== undefined;
}

/** Whether a job has every field of a filter. */
export function matches(record: JobRecord, { queue, task, state, tag, text, args }: JobFilter): boolean {
  return (
    (queue === undefined || record.queue === queue) &&
    (state === undefined || record.state === state) &&
    (task === undefined || record.task === task) &&
    (tag === undefined || (record.rules?.tags ?? []).includes(tag)) &&
    (text === undefined || hasText(record, text)) &&
    (args === undefined || hasFields(readArguments(record.args)[0], args))
  );
}

function hasText({ task, args, error }: JobRecord, text: string): boolean {
  const wanted = text.toLowerCase();
  // In the arguments it stands as JSON writes it.
  const written = JSON.stringify(wanted).slice(1, -1);
  return (
    task.toLowerCase().includes(wanted) ||
    args.toLowerCase().includes(written) ||
    (error?.message.toLowerCase().includes(wanted) ?? false)
  );
}

function hasFields(argument: unknown, fields: Readonly<Record<string, unknown>>): boolean {
  if (!isRecord(argument)) return false;
  return Object.entries(fields).every(
    ([name, value]) => Object.hasOwn(argument, name) && isSame(argument[name], value),
  );
}

/** What is nested too deeply to be written is never the same. */
function isSame(stored: unknown, wanted: unknown): boolean {
  try {
    return canonicalJson(stored) === canonicalJson(wanted);
  } catch {
    return false;
  }
}

/** A field that is undefined is often a mistake, and would match more than was meant. */
function checkArgs(value: unknown, where: string): void {
  const fields = isRecord(value) ? Object.entries(value) : [];
  expectThat(fields.length > 0, where, value, 'an object with at least one field of the first argument');
  for (const [name, field] of fields) {
    expectThat(field !== undefined, `${where}.${name}`, field, 'the value that the field has, or leave it out');
  }
  encodePayload(value, where);
}

function list(names: readonly string[]): string {
  return names.map(show).join(', ');
}
