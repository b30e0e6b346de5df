import type { Run, RunRecord } from './job.js';

/** The value of a JSON text, or the text itself where it is none. */
export function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Stored arguments as callers see them. Whatever stands there instead of a list becomes the only one. */
export function readArguments(text: string): readonly unknown[] {
  const args = text === '' ? [] : readJson(text);
  return Array.isArray(args) ? args : [args];
}

export function toRun(run: RunRecord): Run {
  return { ...run, startedAt: new Date(run.startedAt), endedAt: toDate(run.endedAt) };
}

export function toDate(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}
