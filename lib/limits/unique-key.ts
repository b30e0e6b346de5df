import { createHash } from 'node:crypto';
import { isRecord } from '../contracts/checks.js';
import type { UniqueOptions } from '../contracts/task.js';
import { userKey } from './user-key.js';

/**
 * The key under which a call is the only one of its task: of the user's key, else of the arguments.
 *
 * @throws InvalidOptionsError where the user's key function answers no text
 */
export function uniqueKey(task: string, { key }: Pick<UniqueOptions, 'key'>, args: readonly unknown[]): string {
  return `${task}:${shortHash(key ? userKey(key, args, task, 'unique.key') : canonicalJson(args))}`;
}

/** The same for values that differ in the order of their fields only. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_field, part: unknown) => (isRecord(part) ? withSortedFields(part) : part)) ?? 'null';
}

/** 27 letters, digits, dashes and underscores for a text of any length. */
export function shortHash(text: string): string {
  return createHash('sha1').update(text).digest('base64url');
}

function withSortedFields(value: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(value);
  if (names.length < 2) return value;
  return Object.fromEntries(names.toSorted().map((name) => [name, value[name]]));
}
