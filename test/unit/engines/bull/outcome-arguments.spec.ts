import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ActiveJob } from '../../../../lib/contracts/engine.js';
import type { Outcome } from '../../../../lib/contracts/outcome.js';
import { EndedRun, toFinishArguments } from '../../../../lib/engines/bull/outcome-arguments.js';
import { TakenJob } from '../../../../lib/engines/bull/stored-job.js';
import { readRuns } from '../../../../lib/engines/bull/stored-runs.js';

const lua = readFileSync(new URL('../../../../lib/engines/bull/scripts/finish.lua', import.meta.url), 'utf8');

/** How many arguments `turn.lua` goes on by, as finish.lua says. */
const arity = new Map(
  [...(/arity = \{(.*?)\}/s.exec(lua)?.[1] ?? '').matchAll(/(\w+) = (\d+)/g)].map(([, kind, count]) => [
    kind,
    Number(count),
  ]),
);

/** The arguments that a kind's function reads: the highest `ARGV[at + n]`. */
function argumentsRead(kind: string): number {
  const body = new RegExp(`function finish\\.${kind}\\(.*?\\n(.*?)\\nend`, 's').exec(lua)?.[1] ?? '';
  return 1 + Math.max(...[...body.matchAll(/ARGV\[at(?: \+ (\d+))?\]/g)].map(([, offset]) => Number(offset ?? 0)));
}

const error = { name: 'RangeError', message: 'Boom.', stack: 'RangeError: Boom.\n    at work' };

function ended(fields: Partial<ActiveJob> = {}, debounce = 'topic', rules = ''): EndedRun {
  const job: ActiveJob = {
    id: 'job-1',
    queue: 'mail',
    task: 'Mail.send',
    args: '[]',
    options: {},
    metadata: {},
    enqueuedAt: 1,
    attemptsMade: 1,
    crashes: 0,
    runs: [],
    ...fields,
  };
  const run = new EndedRun(new TakenJob(job, '[]', '{}', debounce, rules), 'lock:1', 100, 'host:1');
  run.endedAt = 200;
  return run;
}

const keep = { age: 60_000.4, count: 10 };
const outcomes: [string, Outcome, kind: string][] = [
  ['completed', { type: 'completed', keep: 60_000, result: '{"a":1}' }, 'completed'],
  ['completed without a result', { type: 'completed', keep: 60_000 }, 'completed'],
  ['completed and forgotten, with a debounce key', { type: 'completed', keep: 0, result: '1' }, 'completed'],
  ['failed', { type: 'failed', error, keep }, 'failed'],
  ['failed and forgotten', { type: 'failed', error, keep: { age: 0, count: 0 } }, 'failed'],
  ['retry', { type: 'retry', delay: 0, error }, 'again'],
  ['delayed retry', { type: 'retry', delay: 50, error }, 'again'],
  ['snooze', { type: 'snooze', delay: 50, because: 'snooze' }, 'again'],
  ['snooze at shutdown', { type: 'snooze', delay: 0, because: 'shutdown', error }, 'again'],
  ['declined', { type: 'declined', delay: 250 }, 'declined'],
];

describe('the arguments of an outcome', () => {
  it('are counted in finish.lua for each kind, as its function reads them', () => {
    expect([...arity.keys()].toSorted()).toEqual(['again', 'completed', 'declined', 'failed', 'gone']);
    for (const [kind, count] of arity) expect(argumentsRead(kind), kind).toBe(count);
  });

  it.each(outcomes)('are as many as finish.lua reads: %s', (_name, outcome, kind) => {
    const values = toFinishArguments(ended(), outcome);
    expect(values.slice(0, 3)).toEqual(['job-1', 'lock:1', kind]);
    expect(values).toHaveLength(3 + (arity.get(kind) ?? Number.NaN));
  });

  it('say no more than the result of a job of which nothing is kept, unless it has more to give back', () => {
    const outcome: Outcome = { type: 'completed', keep: 0, result: '1' };
    expect(toFinishArguments(ended({}, ''), outcome)).toEqual(['job-1', 'lock:1', 'gone', '1']);
    expect(toFinishArguments(ended({}, '', '{"tags":["a"]}'), outcome)[2]).toBe('completed');
  });

  it.each(outcomes)('are text or whole numbers: %s', (_name, outcome) => {
    for (const value of toFinishArguments(ended(), outcome)) {
      expect(typeof value === 'string' || Number.isInteger(value), String(value)).toBe(true);
    }
  });

  it('tell a result from none', () => {
    expect(toFinishArguments(ended(), { type: 'completed', keep: 1 })[3]).toBe('');
    expect(toFinishArguments(ended(), { type: 'completed', keep: 1, result: '""' })[3]).toBe('""');
  });

  it('record a completed run only where the job is kept', () => {
    const runs = (outcome: Outcome): unknown => readRuns(String(toFinishArguments(ended(), outcome)[5]));
    const run = { attempt: 2, startedAt: 100, endedAt: 200, worker: 'host:1', outcome: 'completed' };
    expect(runs({ type: 'completed', keep: 1 })).toEqual([run]);
    expect(runs({ type: 'completed', keep: 0 })).toEqual([]);
  });

  it('count an attempt for a failure and a retry only', () => {
    const attempts = (outcome: Outcome, at: number) => toFinishArguments(ended(), outcome)[at];
    expect(attempts({ type: 'failed', error, keep }, 6)).toBe(2);
    expect(attempts({ type: 'retry', delay: 0, error }, 5)).toBe(2);
    expect(attempts({ type: 'snooze', delay: 0, because: 'snooze' }, 5)).toBe(1);
    expect(attempts({ type: 'declined', delay: 0 }, 5)).toBe(1);
  });

  it('tell when the job is due, rounded up, and 0 for at once', () => {
    const due = (delay: number) => toFinishArguments(ended(), { type: 'retry', delay, error })[3];
    expect([due(0), due(50), due(50.2)]).toEqual([0, 250, 251]);
  });

  it('put a job first in line that was given back, and others last', () => {
    const isFirst = (outcome: Outcome) => toFinishArguments(ended(), outcome)[4];
    expect(isFirst({ type: 'declined', delay: 0 })).toBe('1');
    expect(isFirst({ type: 'snooze', delay: 0, because: 'shutdown' })).toBe('1');
    expect(isFirst({ type: 'snooze', delay: 0, because: 'snooze' })).toBe('0');
    expect(isFirst({ type: 'retry', delay: 0, error })).toBe('0');
  });

  it('add the run to earlier ones, with its error', () => {
    const earlier = { attempt: 1, startedAt: 1, endedAt: 2, worker: 'host:0', outcome: 'retry' as const, error };
    const values = toFinishArguments(ended({ runs: [earlier] }), { type: 'failed', error, keep });
    expect(readRuns(String(values[9]))).toEqual([
      earlier,
      { attempt: 2, startedAt: 100, endedAt: 200, worker: 'host:1', outcome: 'failed', error },
    ]);
    expect(JSON.parse(String(values[4]))).toEqual(error);
    expect(JSON.parse(String(values[5]))).toEqual([error.stack, error.stack]);
  });

  it('keep the last ten stacks, and name and message where there is none', () => {
    const runs = Array.from({ length: 12 }, (_, index) => ({
      attempt: index + 1,
      startedAt: 1,
      worker: 'host:0',
      outcome: 'retry' as const,
      error: {
        name: 'Error',
        message: `No ${index + 1}.`,
      },
    }));
    const stacks = JSON.parse(
      String(toFinishArguments(ended({ runs }), { type: 'failed', error, keep })[5]),
    ) as string[];
    expect(stacks).toHaveLength(10);
    expect(stacks.at(0)).toBe('Error: No 4.');
    expect(stacks.at(-1)).toBe(error.stack);
  });

  it('leave no trace of a declined run', () => {
    expect(toFinishArguments(ended(), { type: 'declined', delay: 0 }).slice(6)).toEqual(['', '', '', '', '']);
  });
});
