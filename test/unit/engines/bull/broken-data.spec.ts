import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../../lib/contracts/job.js';
import { EndedRun, toFinishArguments } from '../../../../lib/engines/bull/outcome-arguments.js';
import { readJobRecord, readTakenJob } from '../../../../lib/engines/bull/stored-job.js';

const sound: Record<string, string> = {
  name: 'Mail.send',
  data: '[1]',
  opts: '{"spread":1,"attempts":3}',
  timestamp: '1000',
  attemptsMade: '1',
  stalledCounter: '0',
  runs: '{"attempt":1,"startedAt":1,"worker":"host:1","error":{"name":"Error","message":"Boom."}}',
  metadata: '{"tenant":"a"}',
  deid: 'topic',
};
const unread = [
  'processedOn',
  'finishedOn',
  'keptUntil',
  'worker',
  'progress',
  'returnvalue',
  'failedReason',
  'stacktrace',
];
const fields = [...Object.keys(sound), ...unread];

const words = [
  '',
  ' ',
  'null',
  'true',
  '0',
  '-1',
  '1e400',
  'NaN',
  '"text"',
  '[]',
  '{}',
  '[[',
  '{"',
  '{"a":',
  'undefined',
  '\0',
  '\ud800',
  '{"__proto__":{"x":1}}',
  '[null]',
  'null,null',
  '1,2',
  '"a","b"',
  '{},{}',
  ',',
  '],[',
  '{"spread":1,"attempts":"x","backoff":7}',
  '{"backoff":null,"timeout":{}}',
  '[{"spread":1}]',
];

function* broken(): Generator<[field: string, value: string]> {
  for (const field of fields) {
    for (const word of words) yield [field, word];
    for (let length = 0; length < 64; length++) {
      const bytes = randomBytes(length);
      yield [field, bytes.toString('utf8')];
      yield [field, bytes.toString('latin1')];
    }
  }
}

const states: JobRecord['state'][] = ['waiting', 'delayed', 'active', 'completed', 'failed'];

function take(hash: Record<string, string>) {
  const read = (fields: readonly string[]) => fields.map((field) => hash[field] ?? null);
  const rest = read(['attemptsMade', 'stalledCounter', 'runs', 'metadata', 'deid']);
  return readTakenJob('mail', ['job-1', ...read(['name', 'data', 'opts', 'timestamp']), rest], 0);
}

describe('data that cannot be read', () => {
  it('never keeps a job from being taken', () => {
    for (const [field, value] of broken()) {
      const { job } = take({ ...sound, [field]: value });
      expect([typeof job.task, typeof job.args, typeof job.options], `${field}: ${value}`).toEqual([
        'string',
        'string',
        'object',
      ]);
      expect(Number.isFinite(job.attemptsMade + job.crashes + job.enqueuedAt), `${field}: ${value}`).toBe(true);
    }
  });

  it('never keeps a job from being found', () => {
    for (const [field, value] of broken()) {
      for (const state of states) {
        const record = readJobRecord('mail', 'job-1', state, { ...sound, [field]: value });
        expect(Array.isArray(record.runs), `${field}: ${value}`).toBe(true);
        if (state === 'failed') expect(typeof record.error?.message, `${field}: ${value}`).toBe('string');
      }
    }
  });

  it('never keeps the outcome of a run from being written', () => {
    const error = { name: 'Error', message: 'Boom.' };
    for (const [field, value] of broken()) {
      const run = new EndedRun(take({ ...sound, [field]: value }), 'lock', 1, 'host:1');
      expect(
        () => toFinishArguments(run, { type: 'failed', error, keep: { age: 1, count: 1 } }),
        `${field}: ${value}`,
      ).not.toThrow();
      expect(() => toFinishArguments(run, { type: 'retry', delay: 0, error }), `${field}: ${value}`).not.toThrow();
    }
  });

  it('is found where every field is missing', () => {
    for (const state of states) expect(() => readJobRecord('mail', 'job-1', state, {})).not.toThrow();
    expect(() => take({})).not.toThrow();
  });
});
