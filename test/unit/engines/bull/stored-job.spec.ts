import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../../lib/contracts/engine.js';
import { RUNS_KEPT } from '../../../../lib/contracts/engine.js';
import type { RunRecord } from '../../../../lib/contracts/job.js';
import {
  readJobRecord,
  readTakenJob,
  TAKEN_FIELDS,
  type TakenValue,
  toScriptArguments,
} from '../../../../lib/engines/bull/stored-job.js';
import { readError, readRuns, writeRuns } from '../../../../lib/engines/bull/stored-runs.js';

const job: NewJob = {
  id: 'job-1',
  queue: 'mail',
  task: 'Mail.send',
  args: '[{"to":"Zoë"},null]',
  options: { attempts: 4, timeout: false, keepResult: 0 },
  metadata: { tenant: 'a' },
  enqueuedAt: 1_000,
};

const run: RunRecord = { attempt: 1, startedAt: 1_100, endedAt: 1_200, worker: 'host:1', outcome: 'retry' };

const BASE = 'tasks:mail:';

/** The hash that `add-jobs.lua` makes of its arguments. */
function stored(one = job): Record<string, string> {
  const [, name, opts, timestamp, delay, , metadata, , , , data] = toScriptArguments(BASE, [one]).map(String);
  return { name, data, opts, timestamp, delay, priority: '0', ...(metadata !== '' && { metadata }) };
}

/** What `take.lua` answers of a hash. */
function taken(hash: Record<string, string | undefined>): TakenValue[] {
  const read = (fields: readonly string[]): (string | null)[] => fields.map((field) => hash[field] ?? null);
  const rest = read(['attemptsMade', 'stalledCounter', 'runs', 'metadata', 'deid', 'rules']);
  const values = read(['name', 'data', 'opts', 'timestamp']);
  return ['job-1', ...values, rest.some((value) => value !== null) ? rest : null];
}

describe('a job of our engine', () => {
  it('is read as it was written', () => {
    const read = readTakenJob('mail', taken(stored()), 0);
    expect(read).toEqual({
      job: {
        id: 'job-1',
        queue: 'mail',
        task: 'Mail.send',
        args: job.args,
        options: job.options,
        metadata: job.metadata,
        enqueuedAt: 1e3,
        attemptsMade: 0,
        crashes: 0,
        runs: [],
      },
      data: job.args,
      opts: stored().opts,
      debounce: '',
      rules: '',
    });
  });

  it('is found as it was written', () => {
    expect(readJobRecord('mail', 'job-1', 'waiting', stored())).toEqual({
      id: 'job-1',
      queue: 'mail',
      task: 'Mail.send',
      state: 'waiting',
      args: job.args,
      options: job.options,
      metadata: job.metadata,
      enqueuedAt: 1e3,
      attemptsMade: 0,
      crashes: 0,
      runs: [],
      logs: [],
    });
  });

  it('has short options, so that Redis packs its hash', () => {
    expect(stored({ ...job, options: {} }).opts).toBe('{"spread":1}');
  });

  it('has no metadata where none was given', () => {
    const hash = stored({ ...job, metadata: undefined });
    expect(hash).not.toHaveProperty('metadata');
    expect(readTakenJob('mail', taken(hash), 0).job.metadata).toEqual({});
  });

  it.each([
    ['later', 1_500, [500, 1_500]],
    ['at the same instant', 1_000, [0, 0]],
    ['earlier', 900, [0, 0]],
    ['at once', undefined, [0, 0]],
  ])('that is due %s has its delay and due time', (_when, dueAt, [delay, due]) => {
    const values = toScriptArguments(BASE, [{ ...job, dueAt }]);
    expect([values[4], values[5]]).toEqual([delay, due]);
  });

  const shared = [BASE, 'Mail.send', '{"spread":1,"attempts":4,"timeout":false,"keepResult":0}', 1_000, 0, 0];

  it('shares what it has in common with those beside it', () => {
    const rules = { tags: ['x'] };
    const copies = ['1', '2', '3'].map((id): NewJob => structuredClone({ ...job, id, args: `[${id}]`, rules }));
    const values = toScriptArguments(BASE, copies);
    const own = ['1', '[1]', '2', '[2]', '3', '[3]'];
    expect(values).toEqual([...shared, '{"tenant":"a"}', '{"tags":["x"]}', 3, ...own]);
  });

  it.each<Partial<NewJob>>([
    { task: 'Mail.read' },
    { enqueuedAt: 1_001 },
    { dueAt: 2_000 },
    { metadata: { tenant: 'b' } },
    { metadata: undefined },
    { rules: { tags: ['x'] } },
    { options: {} },
    { options: { ...job.options, attempts: 5 } },
    { options: { ...job.options, backoff: { type: 'fixed', delay: 1, factor: 2, max: 9, jitter: 0 } } },
    { options: { attempts: 4, timeout: false, backoff: undefined } },
  ])('shares nothing with one that has %j', (fields) => {
    const values = toScriptArguments(BASE, [job, { ...job, id: 'other', ...fields }, { ...job, id: 'third' }]);
    expect(values.filter((value) => value === BASE)).toHaveLength(3);
    expect([values[8], values[8 + 11], values[8 + 22]]).toEqual([1, 1, 1]);
  });

  it.each([
    [
      '{"name":"s","tick":1000,"previousTick":500,"missed":2}',
      { name: 's', tick: 1_000, previousTick: 500, missed: 2 },
    ],
    ['{"name":"s","tick":"soon","previousTick":1e99,"missed":[]}', { name: 's', missed: 0 }],
    ['{"name":7,"tick":1000}', undefined],
  ])('has a schedule of which dates can be made: %s', (schedule, read) => {
    const rest = ['0', '0', '', '', '', `{"schedule":${schedule}}`];
    const { job } = readTakenJob('mail', ['1', 'Mail.send', '[]', '{"spread":1}', '1', rest], 0);
    expect(job.rules?.schedule).toEqual(read);
  });

  it('is read at its place among others', () => {
    const values = [...taken({ name: 'first' }), ...taken({ ...stored(), name: 'second' })];
    expect(values).toHaveLength(2 * TAKEN_FIELDS);
    expect(readTakenJob('mail', values, TAKEN_FIELDS).job.task).toBe('second');
  });

  it('has the attempts, crashes and runs that were stored later', () => {
    const hash = { ...stored(), attemptsMade: '2', stalledCounter: '1', runs: writeRuns([run]) };
    expect(readTakenJob('mail', taken(hash), 0).job).toMatchObject({ attemptsMade: 2, crashes: 1, runs: [run] });
    expect(readJobRecord('mail', 'job-1', 'waiting', hash)).toMatchObject({
      attemptsMade: 2,
      crashes: 1,
      runs: [run],
      startedAt: 1100,
    });
  });

  it('tells the run that goes on', () => {
    const hash = { ...stored(), processedOn: '1300', worker: 'host:2', attemptsMade: '1', runs: writeRuns([run]) };
    const { runs, startedAt } = readJobRecord('mail', 'job-1', 'active', hash);
    expect(startedAt).toBe(1_300);
    expect(runs).toEqual([run, { attempt: 2, startedAt: 1_300, worker: 'host:2' }]);
  });

  it('tells result, progress and end', () => {
    const hash = { ...stored(), processedOn: '1300', finishedOn: '1400', returnvalue: 'null', progress: '{"done":1}' };
    expect(readJobRecord('mail', 'job-1', 'completed', hash)).toMatchObject({
      startedAt: 1300,
      finishedAt: 1400,
      result: 'null',
      progress: '{"done":1}',
    });
  });

  it('tells the whole error of its last run, and Bull’s reason where there is none', () => {
    const error = { name: 'RangeError', message: 'Boom.', stack: 'at work', code: 'E_BOOM' };
    const runs = writeRuns([run, { ...run, error }]);
    expect(readJobRecord('mail', 'job-1', 'failed', { ...stored(), failedReason: 'x', runs }).error).toEqual(error);
    expect(readError('Out of paper.', [])).toEqual({ name: 'Error', message: 'Out of paper.' });
    expect(readError(null, [])).toEqual({ name: 'Error', message: 'Unknown reason' });
  });
});

describe('the record of runs', () => {
  it('is read as it was written, and may be appended to with a comma', () => {
    expect(readRuns(writeRuns([]))).toEqual([]);
    expect(readRuns(`${writeRuns([run])},${JSON.stringify(run)}`)).toEqual([run, run]);
  });

  it(`keeps the last ${RUNS_KEPT}`, () => {
    const runs = Array.from({ length: RUNS_KEPT + 3 }, (_, index) => ({ ...run, attempt: index + 1 }));
    expect(readRuns(writeRuns(runs)).map(({ attempt }) => attempt)).toEqual(
      runs.slice(3).map(({ attempt }) => attempt),
    );
  });
});

describe('a job of a plain Bull producer', () => {
  const foreign = (opts: object, data = '{"to":"Zoë"}') =>
    readTakenJob('mail', taken({ name: 'Mail.send', data, opts: JSON.stringify(opts), timestamp: '1' }), 0).job;

  it('has its data as the one argument', () => {
    expect(foreign({}).args).toBe('[{"to":"Zoë"}]');
    expect(foreign({}, '[1,2]').args).toBe('[[1,2]]');
    expect(foreign({}, '').args).toBe('[null]');
  });

  it('has the options that its producer set', () => {
    const backoff = { type: 'exponential', delay: 500 };
    expect(foreign({ attempts: 5, timeout: 900, backoff, removeOnComplete: true }).options).toEqual({
      attempts: 5,
      timeout: 900,
      keepResult: 0,
      backoff: { type: 'exponential', delay: 500, factor: 2, max: Number.MAX_SAFE_INTEGER, jitter: 0 },
    });
  });

  it('leaves to the task what Bull fills in, or what makes no sense', () => {
    expect(foreign({ attempts: 1, delay: 0, timestamp: 1, jobId: 'x' }).options).toEqual({});
    expect(foreign({ attempts: 'many', timeout: -1, backoff: { type: 'custom', delay: 1 } }).options).toEqual({});
    expect(foreign({ backoff: 5, removeOnComplete: 3, timeout: null }).options).toEqual({});
  });

  it('has the id of its debounce key', () => {
    expect(readTakenJob('mail', taken({ name: 'Mail.send', deid: 'topic' }), 0).debounce).toBe('topic');
  });
});
