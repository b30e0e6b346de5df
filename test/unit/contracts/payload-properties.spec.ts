import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWith, encodeWith, isEncoded, type PayloadCodec } from '../../../lib/contracts/codec.js';
import { InvalidPayloadError, PayloadCodecError } from '../../../lib/contracts/errors.js';
import { readArguments, readJson } from '../../../lib/contracts/job-view.js';
import { encodePayload } from '../../../lib/contracts/payload.js';
import { redactArguments } from '../../../lib/contracts/redaction.js';
import { readJobRecord, readTakenJob } from '../../../lib/engines/bull/stored-job.js';
import { decodeArguments } from '../../../lib/runner/run-payload.js';
import { aJob } from '../runner/runner-fixture.js';

const codec: PayloadCodec = {
  encode: (json) => Buffer.from(json).toString('base64'),
  decode: (data) => Buffer.from(data, 'base64').toString(),
};

/** Whatever bytes may stand in a field of Redis. */
const garbage = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.json(),
  fc.constantFrom('{"nestjs-tasks:encoded":', '{"nestjs-tasks:encoded":"x"', '{"nestjs-tasks:encoded":{}}'),
  fc.string().map((text) => `{"nestjs-tasks:encoded":${text}}`),
);

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
});

describe('Arguments, whatever they are', () => {
  it('arrive as they were sent, where they are JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ noUnicodeString: false })), (args) => {
        const job = aJob({ args: encodePayload(args, 'Arguments') });
        // JSON has no negative zero.
        expect(decodeArguments(job)).toEqual(JSON.parse(JSON.stringify(args)));
        expect(readArguments(job.args)).toEqual(decodeArguments(job));
      }),
    );
  });

  it('are refused with the place, or arrive as something that JSON keeps', () => {
    fc.assert(
      fc.property(anything, (value) => {
        let json: string;
        try {
          json = encodePayload(value, 'Value');
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPayloadError);
          expect((error as InvalidPayloadError).issues.length).toBeGreaterThan(0);
          return;
        }
        const arrived = JSON.parse(json) as unknown;
        expect(encodePayload(arrived, 'Value')).toBe(json);
      }),
    );
  });

  it('come out of a codec as they went in, and what is plain stays so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), async (args) => {
        const json = JSON.stringify(args);
        const stored = await encodeWith(codec, json, 'it');
        expect(isEncoded(stored)).toBe(true);
        expect(Object.keys(JSON.parse(stored) as object)).toHaveLength(1);
        expect(await decodeWith(codec, stored, 'it')).toBe(json);
        expect(isEncoded(json)).toBe(false);
        expect(await decodeWith(codec, json, 'it')).toBe(json);
      }),
    );
  });

  it('show nothing of what redact hides, wherever it stands', () => {
    const secret = fc.constant('s3cr3t!');
    const tree = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, secret, fc.integer(), fc.boolean(), tie('list'), tie('record')),
      list: fc.array(tie('value')),
      record: fc.dictionary(fc.string(), tie('value')),
    }));
    fc.assert(
      fc.property(fc.array(tree.value), (args) => {
        const before = JSON.stringify(args);
        const shown = redactArguments((value) => (value === 's3cr3t!' ? '***' : value), args);
        expect(JSON.stringify(shown)).toBe(before.replaceAll('"s3cr3t!"', '"***"'));
        expect(JSON.stringify(args)).toBe(before);
      }),
    );
  });
});

describe('What stands in Redis, whatever it is', () => {
  it('is decoded, or told to be what cannot be decoded', async () => {
    await fc.assert(
      fc.asyncProperty(garbage, async (stored) => {
        const decoded = await decodeWith(codec, stored, 'it').catch((error: unknown) => error);
        if (decoded instanceof Error) expect(decoded).toBeInstanceOf(PayloadCodecError);
        else expect(typeof decoded).toBe('string');
      }),
    );
  });

  it('is a list of arguments for the run, or fails its job', () => {
    fc.assert(
      fc.property(garbage, (args) => {
        try {
          expect(Array.isArray(decodeArguments(aJob({ args })))).toBe(true);
        } catch (error) {
          expect(error instanceof InvalidPayloadError || error instanceof PayloadCodecError).toBe(true);
        }
      }),
    );
  });

  it('is shown', () => {
    fc.assert(
      fc.property(garbage, (stored) => {
        expect(Array.isArray(readArguments(stored))).toBe(true);
        readJson(stored);
      }),
    );
  });

  it('is a job whose options and rules a worker can keep to', () => {
    const field = fc.oneof(garbage, fc.constant(null));
    const hash = fc.tuple(field, field, field, field, field, field);
    fc.assert(
      fc.property(field, field, hash, (data, opts, rest) => {
        const { job } = readTakenJob('mail', ['id', 'Mail.send', data, opts, '1', rest], 0);
        expectReasonable(job);
        const fields = { name: 'Mail.send', data, opts, attemptsMade: rest[0], runs: rest[2], rules: rest[5] };
        const known = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null);
        expectReasonable(readJobRecord('mail', 'id', 'failed', Object.fromEntries(known)));
      }),
    );
  });

  it('has reasonable options also where it looks like options', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constantFrom(null, false, {}, []));
    const options = fc.record({
      spread: fc.constant(1),
      attempts: number,
      timeout: number,
      keepResult: number,
      backoff: fc.record({
        type: fc.constantFrom('fixed', 'exponential', 7),
        delay: number,
        factor: number,
        max: number,
        jitter: number,
      }),
    });
    fc.assert(
      fc.property(options, (opts) => {
        expectReasonable(readTakenJob('mail', ['id', 'Mail.send', '[]', JSON.stringify(opts), '1', null], 0).job);
      }),
    );
  });
});

type Read = Pick<ReturnType<typeof readTakenJob>['job'], 'options' | 'rules' | 'runs' | 'metadata' | 'attemptsMade'>;

function expectReasonable({ options, rules, runs, metadata, attemptsMade }: Read): void {
  const { attempts = 1, timeout = 1, keepResult = 0, backoff } = options;
  expect(Number.isSafeInteger(attempts) && attempts >= 1 && attempts <= 100_000).toBe(true);
  expect(timeout === false || (Number.isFinite(timeout) && timeout > 0)).toBe(true);
  expect(Number.isFinite(keepResult) && keepResult >= 0).toBe(true);
  if (backoff) expect([backoff.delay, backoff.factor, backoff.max, backoff.jitter].every((one) => one >= 0)).toBe(true);
  expect(Number.isSafeInteger(attemptsMade) && attemptsMade >= 0).toBe(true);
  if (rules?.concurrency) expect(rules.concurrency.max).toBeGreaterThan(0);
  for (const value of Object.values(metadata)) expect(typeof value).toBe('string');
  for (const run of runs) expect(Number.isFinite(run.startedAt) && Number.isFinite(run.attempt)).toBe(true);
}
