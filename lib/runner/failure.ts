import { inspect } from 'node:util';
import type { JobError } from '../contracts/job.js';

/** Longest stored message, in characters. */
export const LONGEST_MESSAGE = 10_000;

/** Longest stored stack, causes included, in characters. */
export const LONGEST_STACK = 20_000;

const DEEPEST_CAUSE = 5;

/** Makes a storable error of whatever was thrown. Never throws. */
export function toJobError(thrown: unknown): JobError {
  const error: JobError = {
    name: cut(textOf(thrown, 'name') || 'Error', LONGEST_MESSAGE),
    message: cut(messageOf(thrown), LONGEST_MESSAGE),
  };
  const stack = stackWithCauses(thrown);
  if (stack) error.stack = cut(stack, LONGEST_STACK);
  const code = read(thrown, 'code');
  if (typeof code === 'string' || typeof code === 'number') error.code = cut(String(code), LONGEST_MESSAGE);
  return error;
}

/** What was thrown; an error about it where it is one that throws at whoever asks what it is. */
export function tame(thrown: unknown): unknown {
  try {
    isError(thrown);
    return thrown;
  } catch {
    return new Error(toJobError(thrown).message);
  }
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error;
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  const message = textOf(thrown, 'message');
  if (message === undefined) return `A value that is no error was thrown: ${show(thrown)}`;
  return message || membersOf(thrown);
}

/** A refused connection is an AggregateError without a message of its own. */
function membersOf(thrown: unknown): string {
  const members = read(thrown, 'errors');
  if (!Array.isArray(members)) return '';
  return members.map((member) => textOf(member, 'message') ?? show(member)).join('; ');
}

function stackWithCauses(thrown: unknown): string | undefined {
  const seen = new Set<unknown>();
  const parts: string[] = [];
  let error = thrown;
  while (seen.size <= DEEPEST_CAUSE && error !== undefined && error !== null && !seen.has(error)) {
    seen.add(error);
    const stack = stackOf(error);
    if (stack === undefined && parts.length === 0) return undefined;
    parts.push(stack ?? cut(messageOf(error), LONGEST_MESSAGE));
    error = read(error, 'cause');
  }
  return parts.join('\nCaused by: ') || undefined;
}

/** The stack begins with the message: one that is cut there too leaves room for the frames. */
function stackOf(error: unknown): string | undefined {
  const stack = textOf(error, 'stack');
  const message = textOf(error, 'message');
  if (!stack || !message || message.length <= LONGEST_MESSAGE) return stack;
  return stack.replace(message, () => cut(message, LONGEST_MESSAGE));
}

function textOf(value: unknown, property: string): string | undefined {
  const text = read(value, property);
  return typeof text === 'string' ? text : undefined;
}

/** Getters and proxies may throw. */
function read(value: unknown, property: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return Reflect.get(value, property);
  } catch {
    return undefined;
  }
}

function show(value: unknown): string {
  try {
    return inspect(value, { depth: 2 });
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const note = ` … (cut, ${text.length} characters in all)`;
  return text.slice(0, longest - note.length) + note;
}
