import { describe, expect, it } from 'vitest';
import { checkFilter, matches, type JobFilter } from '../../../lib/client/job-filter.js';
import { InvalidOptionsError, InvalidPayloadError } from '../../../lib/contracts/errors.js';
import type { JobRecord } from '../../../lib/contracts/job.js';

const job: JobRecord = {
  id: 'one',
  queue: 'mail',
  task: 'MailTasks.send',
  state: 'failed',
  args: JSON.stringify([{ to: 'Ada "A" <ada@example.com>', size: { width: 1, height: 2 }, list: [1, 2] }, 'late']),
  options: {},
  rules: { tags: ['import', 'nightly'] },
  metadata: {},
  enqueuedAt: 0,
  runs: [],
  attemptsMade: 1,
  crashes: 0,
  logs: [],
  error: { name: 'Error', message: 'connect ECONNREFUSED' },
};

describe('A filter', () => {
  it.each<JobFilter>([
    { queue: 'mail' },
    { task: 'MailTasks.send' },
    { state: 'failed' },
    { tag: 'nightly' },
    { text: 'mailtasks' },
    { text: 'ADA "a"' },
    { text: 'LATE' },
    { text: 'econnrefused' },
    { args: { size: { height: 2, width: 1 } } },
    { args: { list: [1, 2], to: 'Ada "A" <ada@example.com>' } },
    { queue: 'mail', task: 'MailTasks.send', state: 'failed', tag: 'import', text: 'ada' },
  ])('%j matches', (filter) => {
    expect(matches(job, filter)).toBe(true);
  });

  it.each<JobFilter>([
    { queue: 'default' },
    { task: 'MailTasks' },
    { state: 'waiting' },
    { tag: 'night' },
    { text: 'bob' },
    { args: { size: { width: 1 } } },
    { args: { list: [2, 1] } },
    { args: { missing: null } },
    { args: { toString: 1 } },
    { queue: 'mail', tag: 'other' },
  ])('%j does not match', (filter) => {
    expect(matches(job, filter)).toBe(false);
  });

  it.each(['', '{broken', '[]', '[null]', '["text"]', '[[1]]'])('on fields does not match the arguments %j', (args) => {
    expect(matches({ ...job, args, rules: undefined, error: undefined }, { args: { to: 'ada' } })).toBe(false);
  });
});

describe('checkFilter', () => {
  const check = (filter: unknown) => () => checkFilter(filter as JobFilter, ['failed', 'cancelled'], 'retry()');

  it('answers the states that a call can act on', () => {
    expect(check({ tag: 'a' })()).toEqual(['failed', 'cancelled']);
    expect(check({ state: 'failed' })()).toEqual(['failed']);
  });

  it.each([
    [{}, /retry\(\) has an empty filter, which would mean every job.*'queue', 'task', 'state'/],
    [{ queue: undefined, tag: undefined }, /empty filter/],
    [{ stat: 'failed' }, /unknown option 'stat'. Did you mean 'state'\?/],
    [{ state: 'done' }, /state is 'done'. Give one of 'waiting'/],
    [{ state: 'unknown' }, /state is 'unknown'/],
    [{ state: 'active' }, /cannot act on jobs in state 'active'. Give one of 'failed', 'cancelled', or no state/],
    [{ tag: '' }, /tag is ''/],
    [{ text: 5 }, /text is 5/],
    [{ args: {} }, /args is Object. Give an object with at least one field/],
    [{ args: ['a'] }, /args is a list/],
    [{ args: { id: undefined } }, /args\.id is undefined/],
    [null, /takes a filter such as .* not null/],
  ])('refuses %j', (filter, message) => {
    expect(check(filter)).toThrow(InvalidOptionsError);
    expect(check(filter)).toThrow(message);
  });

  it('refuses a value that no argument can have', () => {
    expect(check({ args: { at: new Date() } })).toThrow(InvalidPayloadError);
  });
});
