import { describe, expect, it, vi } from 'vitest';
import { encodeWith, type PayloadCodec } from '../../../lib/contracts/codec.js';
import { TaskCancelledError, TaskShutdownError } from '../../../lib/contracts/errors.js';
import { TaskSignature } from '../../../lib/contracts/signature.js';
import { aGate, aRunner, aTask, isSettled } from './runner-fixture.js';

const codec: PayloadCodec = {
  encode: (json) => Buffer.from(json).toString('base64'),
  decode: (data) => Buffer.from(data, 'base64').toString(),
};
const encoded = (json: string): Promise<string> => encodeWith(codec, json, 'it');

describe('A run of an encoded job', () => {
  it('gets plain arguments and answers an encoded result', async () => {
    const { outcome } = aRunner(
      aTask(([name]) => `Hello ${String(name)}`),
      { codec },
    );
    expect(await outcome({ args: await encoded('["Ada"]') })).toMatchObject({ result: await encoded('"Hello Ada"') });
  });

  it('answers an encoded result for plain arguments too', async () => {
    const { outcome } = aRunner(
      aTask(() => 1),
      { codec },
    );
    expect(await outcome({ args: '[]' })).toMatchObject({ type: 'completed', result: await encoded('1') });
  });

  it.each([
    ['is cancelled', new TaskCancelledError('')],
    ['has to leave', new TaskShutdownError('')],
  ])('never begins where it %s while it is decoded', async (_what, reason) => {
    const invoke = vi.fn();
    const { promise, open } = aGate<string>();
    const { start } = aRunner(aTask(invoke), { codec: { ...codec, decode: () => promise } });
    const run = start({ args: await encoded('[]') });
    run.abort(reason);
    expect(await run.outcome).toEqual({ type: 'declined', delay: 0 });
    expect(run.ended).toBeUndefined();
    open('[]');
    await isSettled(promise);
    expect(invoke).not.toHaveBeenCalled();
  });

  it('is aborted as any other once it has begun', async () => {
    const { promise, open } = aGate();
    const { start } = aRunner(
      aTask(() => promise),
      { codec },
    );
    const run = start({ args: await encoded('[]') });
    await vi.waitFor(() => expect(run.ended).toBeDefined());
    run.abort(new TaskShutdownError(''));
    expect(await run.outcome).toMatchObject({ type: 'snooze', because: 'shutdown' });
    open();
    await vi.waitFor(() => expect(run.ended).toBeUndefined());
  });

  it('is decoded as a part of its last try, alone, where decoding may be what ended its process', async () => {
    const noted = aGate<boolean>();
    const decode = vi.fn((data: string) => codec.decode(data));
    const invoke = vi.fn(() => {
      throw new Error('no');
    });
    const onFailed = vi.fn(() => new TaskSignature('note', [], {}, true));
    const task = aTask(invoke, { attempts: 1, onFailed });
    const { engine, start } = aRunner(task, { codec: { ...codec, decode } });
    engine.begin.mockImplementation(() => noted.promise);
    const run = start({ args: await encoded('["Ada"]'), crashes: 2 });
    await vi.waitFor(() => expect(engine.begin).toHaveBeenCalled());
    expect(decode).not.toHaveBeenCalled();
    noted.open(true);
    expect(await run.outcome).toMatchObject({ type: 'failed', error: { message: 'no' } });
    expect(invoke).toHaveBeenCalledWith(['Ada'], expect.anything());
    expect(onFailed).toHaveBeenCalledWith(expect.objectContaining({ args: ['Ada'] }));
  });

  it.each([
    ['cannot be decoded', '{"nestjs-tasks:encoded":7}', 'TASKS_PAYLOAD_CODEC'],
    ['is no list', encodeWith(codec, '{}', 'it'), 'TASKS_INVALID_PAYLOAD'],
  ])('lets other runs go on where its last try %s', async (_what, stored, code) => {
    const { outcome, runner, logger } = aRunner(
      aTask(() => 1),
      { codec },
    );
    const release = vi.fn();
    runner.govern([{ hold: () => release }]);
    expect(await outcome({ args: await stored, crashes: 2 })).toMatchObject({ type: 'failed', error: { code } });
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(1));
    await vi.waitFor(() =>
      expect(logger.warn).toHaveBeenLastCalledWith(expect.stringContaining('takes other jobs again')),
    );
    expect(await outcome({ args: await encoded('[]') })).toMatchObject({ type: 'completed' });
  });

  it('is not decoded once more where that may be what ended its process', async () => {
    const decode = vi.fn();
    const { outcome } = aRunner(
      aTask(() => 1),
      { codec: { ...codec, decode } },
    );
    const args = await encoded('[]');
    expect(await outcome({ args, crashes: 3 })).toMatchObject({ error: { code: 'TASKS_TASK_CRASHED' } });
    expect(decode).not.toHaveBeenCalled();
  });

  it('fails at once where what is decoded is no list', async () => {
    const { outcome } = aRunner(
      aTask(() => 1),
      { codec },
    );
    for (const json of ['{}', 'no JSON', '']) {
      expect(await outcome({ args: await encoded(json) })).toMatchObject({
        type: 'failed',
        error: { code: 'TASKS_INVALID_PAYLOAD' },
      });
    }
  });

  it('fails at once where its envelope is broken', async () => {
    const { outcome } = aRunner(
      aTask(() => 1),
      { codec },
    );
    for (const args of ['{"nestjs-tasks:encoded":7}', '{"nestjs-tasks:encoded":"', '{"nestjs-tasks:encoded":']) {
      expect(await outcome({ args })).toMatchObject({ type: 'failed', error: { code: 'TASKS_PAYLOAD_CODEC' } });
    }
  });
});
