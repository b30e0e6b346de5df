import { describe, expect, it } from 'vitest';
import { noResultIsAbsent } from './differences.js';
import { compare } from './differential.js';
import type { NormalEntry, Trace } from './normal-form.js';

const hash = (fields: Record<string, string>): NormalEntry => ({ type: 'hash', value: fields, expires: false });

function trace(change: (trace: Trace) => void = () => undefined): Trace {
  const job = { name: 'Mail.send', data: '[]', opts: '{}', timestamp: '<time>', returnvalue: '1' };
  const made: Trace = {
    stored: {
      'at the end': {
        a: hash(job),
        completed: { type: 'zset', value: [['a', '<finishedOn>']], expires: false },
        'stalled-check': { type: 'string', value: '<time>', expires: true },
      },
    },
    events: { a: [{ event: 'active@' }, { event: 'completed', val: '1' }] },
    order: ['active@ a', 'completed a', 'drained '],
    dueTimes: 0,
    started: ['a'],
  };
  change(made);
  return made;
}

const end = (made: Trace): Record<string, NormalEntry> => made.stored['at the end'];
const compared = (ours: Trace): void => compare(trace(), ours, { known: [], producer: 'plain' });

describe('the comparison', () => {
  it('accepts two equal sides', () => {
    expect(() => compared(trace())).not.toThrow();
  });

  it('accepts our own fields, set and error', () => {
    const withAdditions = trace((ours) => {
      Object.assign(end(ours).a.value as object, {
        worker: 'host:1',
        runs: '{"attempt":1}',
        keptUntil: '9999999999999',
      });
      end(ours).kept = { type: 'zset', value: [['a', '<keptUntil>']], expires: false };
    });
    expect(() => compared(withAdditions)).not.toThrow();
  });

  const changes: [string, (ours: Trace) => void][] = [
    ['a key too many', (ours) => (end(ours).x = hash({}))],
    ['a missing key', (ours) => delete end(ours).completed],
    ['another type of a key', (ours) => (end(ours).completed.type = 'set')],
    ['a key that expires', (ours) => (end(ours).a.expires = true)],
    ['a field too many', (ours) => Object.assign(end(ours).a.value as object, { attemptsMade: '0' })],
    ['a missing field', (ours) => delete (end(ours).a.value as Record<string, string>).returnvalue],
    ['other options of a plain job', (ours) => Object.assign(end(ours).a.value as object, { opts: '{"x":1}' })],
    ['runs that cannot be read', (ours) => Object.assign(end(ours).a.value as object, { runs: '{' })],
    ['a score that is not the job’s', (ours) => (end(ours).completed.value = [['a', 17]])],
    [
      'an entry of `kept` without a job',
      (ours) => (end(ours).kept = { type: 'zset', value: [['b', 1]], expires: false }),
    ],
    ['a missing event', (ours) => ours.events.a.pop()],
    ['an event too many', (ours) => ours.events.a.push({ event: 'completed', val: '1' })],
    ['events in another order', (ours) => (ours.events.a = ours.events.a.toReversed())],
    ['another value in an event', (ours) => (ours.events.a[1].val = '2')],
    ['a missing `drained`', (ours) => ours.order.pop()],
    ['another due time', (ours) => (ours.dueTimes = 1)],
    ['a job that was started twice', (ours) => ours.started.push('a')],
  ];

  for (const [what, change] of changes) {
    it(`refuses ${what}`, () => {
      expect(() => compared(trace(change))).toThrow();
    });
  }

  it('refuses a known difference that does not occur', () => {
    const known = [noResultIsAbsent];
    expect(() => compare(trace(), trace(), { known, producer: 'plain' })).toThrow(/known difference occurs/);
  });
});
