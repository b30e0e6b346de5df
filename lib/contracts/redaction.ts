import { isRecord } from './checks.js';

/**
 * Answers what is shown of a value in the arguments of a call, in place of it. It is called for each argument first, and
 * then for what is inside of it: answered as it is, a value is shown and looked into; anything else takes its place.
 *
 * @param path to the value, e.g. `[0, 'card', 'number']` for a field of the first argument
 */
export type Redact = (argument: unknown, path: readonly (string | number)[]) => unknown;

/** Shown where `redact` throws or answers nothing: what it does not say is not shown. */
const HIDDEN = '[redacted]';

/**
 * The arguments as people may see them: in logs, errors and dashboards. Every place that shows arguments asks here.
 *
 * @param redact absent: they are shown as they are
 */
export function redactArguments(redact: Redact | undefined, args: readonly unknown[]): readonly unknown[] {
  return redact ? args.map((argument, index) => shownOrHidden(redact, argument, index)) : args;
}

/** Whether what is at this place, or inside of it, is not shown as it is. */
export function isRedacted(
  redact: Redact | undefined,
  args: readonly unknown[],
  path: readonly (string | number)[],
): boolean {
  if (!redact) return false;
  try {
    return JSON.stringify(at(args, path)) !== JSON.stringify(at(redactArguments(redact, args), path));
  } catch {
    return true;
  }
}

/** What is nested too deeply to be looked through is hidden. */
function shownOrHidden(redact: Redact, argument: unknown, index: number): unknown {
  try {
    return shown(redact, argument, [index]);
  } catch {
    return HIDDEN;
  }
}

function shown(redact: Redact, value: unknown, path: readonly (string | number)[]): unknown {
  let answer: unknown;
  try {
    answer = redact(value, path);
  } catch {
    return HIDDEN;
  }
  if (!Object.is(answer, value)) return answer === undefined ? HIDDEN : answer;
  if (Array.isArray(value)) return value.map((item, index) => shown(redact, item, [...path, index]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shown(redact, part, [...path, name])]));
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}
