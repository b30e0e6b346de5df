import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineJobHandle } from '../../../lib/client/job-handle.js';
import {
  EngineUnavailableError,
  InvalidOptionsError,
  ResultNotFoundError,
  ResultTimeoutError,
  TaskCancelledError,
  TaskExpiredError,
  TaskFailedError,
} from '../../../lib/contracts/errors.js';
import { runScope, type RunScope } from '../../../lib/contracts/task-context.js';
import { FakeEngine } from './fake-engine.js';

const error = { name: 'MailError', message: 'no route', stack: 'MailError: no route\n    at send' };
const lost = new EngineUnavailableError('Redis is away.', { sent: false });

let engine: FakeEngine;
let handle: EngineJobHandle<unknown>;

beforeEach(() => {
  engine = new FakeEngine();
  handle = new EngineJobHandle(engine, { id: 'one', queue: 'mail' }, 'Mail.send', false, { attemptsOf: () => 3 });
});

describe('JobHandle.result', () => {
  afterEach(() => {
    expect(engine.observers.size).toBe(0);
    vi.useRealTimers();
  });

  it.each([
    ['{"id":1}', { id: 1 }],
    ['null', null],
    [undefined, undefined],
  ])('answers the result %s of a job that completes', async (result, value) => {
    const waiting = handle.result();
    engine.settle({ state: 'completed', result });
    expect(await waiting).toEqual(value);
    expect(engine.watched).toEqual([{ id: 'one', queue: 'mail' }]);
  });

  it('answers at once for a job that has ended', async () => {
    engine.settlement = { state: 'completed', result: '1' };
    vi.useFakeTimers();
    expect(await handle.result({ timeout: '1h' })).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects with everything known about a failed job', async () => {
    engine.record('one', { state: 'failed', error, args: '[1]', runs: [{ attempt: 1, startedAt: 5, worker: 'w' }] });
    engine.settlement = { state: 'failed', error };
    const failure = await handle.result().catch((reason: unknown) => reason as TaskFailedError);
    expect(failure).toBeInstanceOf(TaskFailedError);
    expect(failure).toMatchObject({
      job: { id: 'one', task: 'Mail.send', args: [1], error, runs: [{ attempt: 1, startedAt: new Date(5) }] },
      cause: error,
    });
  });

  it.each(['gone', 'out of reach'])('rejects with the error of a failed job whose record is %s', async (fate) => {
    if (fate !== 'gone') engine.findError = lost;
    engine.settlement = { state: 'failed', error };
    await expect(handle.result()).rejects.toMatchObject({
      job: { id: 'one', task: 'Mail.send', args: [], error, runs: [] },
    });
  });

  it.each([
    ['cancelled', TaskCancelledError, /Job one was cancelled.*retry\(\)/],
    ['expired', TaskExpiredError, /Job one was not started in .*'expires'.*retry\(\)/],
  ] as const)('rejects for a job that is %s, and says what to do', async (state, errorClass, message) => {
    const waiting = handle.result();
    engine.settle({ state });
    const failure = await waiting.catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(errorClass);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) as string });
  });

  it('rejects when nobody knows the job', async () => {
    engine.settlement = { state: 'unknown' };
    await expect(handle.result()).rejects.toThrow(ResultNotFoundError);
  });

  it('rejects when what was stored is no JSON', async () => {
    engine.settlement = { state: 'completed', result: '{' };
    await expect(handle.result()).rejects.toThrow(ResultNotFoundError);
  });

  it('rejects when the engine is lost', async () => {
    const waiting = handle.result();
    engine.settle({ state: 'lost', error: lost });
    await expect(waiting).rejects.toBe(lost);
  });

  it('rejects after the timeout, naming job and duration', async () => {
    vi.useFakeTimers();
    const outcome = expect(handle.result({ timeout: '30s' })).rejects.toThrow(
      new ResultTimeoutError('Job one did not end within 30000 ms. It goes on; ask again later.'),
    );
    await vi.advanceTimersByTimeAsync(30_000);
    await outcome;
  });

  it('does not end at once with a timeout longer than timers can be', async () => {
    vi.useFakeTimers();
    const waiting = handle.result({ timeout: '30d' });
    await vi.advanceTimersByTimeAsync(1_000);
    engine.settle({ state: 'completed', result: '1' });
    expect(await waiting).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('makes no timer without a timeout', () => {
    vi.useFakeTimers();
    const waiting = handle.result();
    expect(vi.getTimerCount()).toBe(0);
    engine.settle({ state: 'completed' });
    return waiting;
  });

  it("rejects with the signal's reason and leaves no listener on it", async () => {
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, 'removeEventListener');
    const waiting = handle.result({ signal: controller.signal, timeout: '1h' });
    controller.abort(new Error('the request is over'));
    await expect(waiting).rejects.toThrow('the request is over');
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('does not begin to wait with a signal that is aborted', async () => {
    await expect(handle.result({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    expect(engine.watched).toEqual([]);
  });

  it('refuses a timeout that is no duration', async () => {
    await expect(handle.result({ timeout: 'soon' as never })).rejects.toThrow(InvalidOptionsError);
  });

  it.each(['completed', 'unknown'] as const)('inside a task lends its slot until the job is %s', async (state) => {
    const steps: string[] = [];
    const slot = {
      lend: () => {
        steps.push('lent');
        return () => Promise.resolve(void steps.push('reclaimed'));
      },
    };
    const waiting = runScope.run({ slot } as RunScope, () => handle.result());
    steps.push('settled');
    engine.settle({ state });
    await waiting.catch(() => undefined);
    expect(steps).toEqual(['lent', 'settled', 'reclaimed']);
  });
});

describe('JobHandle', () => {
  it('is plain as JSON, so that a controller may return it', () => {
    expect(JSON.parse(JSON.stringify(handle))).toEqual({ id: 'one', task: 'Mail.send', deduplicated: false });
  });
});

describe('JobHandle.state and info', () => {
  it('ask the engine for the job in its queue', async () => {
    engine.record('one', { state: 'active' });
    expect(await handle.state()).toBe('active');
  });

  it('answer everything that is known, with dates', async () => {
    engine.record('one', {
      queue: 'mail',
      dueAt: 2_000,
      startedAt: 3_000,
      finishedAt: 4_000,
      options: { attempts: 5 },
      runs: [{ attempt: 1, startedAt: 3_000, endedAt: 4_000, worker: 'w', outcome: 'completed' }],
      progress: '{"done":1}',
      logs: ['line'],
      result: '"sent"',
      rules: { priority: 'high', tags: ['import'] },
      metadata: { tenant: 'a' },
    });
    expect(await handle.info()).toEqual({
      id: 'one',
      task: 'Mail.send',
      queue: 'mail',
      state: 'completed',
      args: ['a'],
      enqueuedAt: new Date(1_000),
      dueAt: new Date(2_000),
      startedAt: new Date(3_000),
      finishedAt: new Date(4_000),
      runs: [{ attempt: 1, startedAt: new Date(3_000), endedAt: new Date(4_000), worker: 'w', outcome: 'completed' }],
      attempts: 5,
      crashes: 0,
      progress: { done: 1 },
      logs: ['line'],
      result: 'sent',
      priority: 'high',
      tags: ['import'],
      metadata: { tenant: 'a' },
    });
  });

  it('have a priority and tags for a job without rules too', async () => {
    engine.record('one', { state: 'expired', finishedAt: 4_000, waitingFor: undefined });
    expect(await handle.info()).toMatchObject({
      state: 'expired',
      finishedAt: new Date(4_000),
      priority: 'normal',
      tags: [],
    });
  });

  it.each([
    ['', []],
    ['{broken', ['{broken']],
    ['{"to":"ada"}', [{ to: 'ada' }]],
  ])('never break on arguments such as %j', async (args, expected) => {
    engine.record('one', { args, progress: '{', result: '{' });
    expect(await handle.info()).toMatchObject({ args: expected, progress: '{', result: '{' });
  });

  it("take the task's attempts where the job was stored without", async () => {
    engine.record('one');
    expect((await handle.info())?.attempts).toBe(3);
  });

  it('answer nothing for an id that nobody knows', async () => {
    expect(await handle.state()).toBe('unknown');
    expect(await handle.info()).toBeUndefined();
  });
});

describe('JobHandle.cancel and retry', () => {
  it('tell the engine, and whether it was so', async () => {
    engine.record('one', { state: 'waiting' });
    expect(await handle.cancel()).toBe(true);
    expect(await handle.cancel()).toBe(false);
    expect(await handle.retry()).toBe(true);
    expect(await handle.retry()).toBe(false);
    expect(engine.actions.map(({ name, ids }) => [name, ...ids])).toEqual([
      ['cancel', 'one'],
      ['cancel', 'one'],
      ['retry', 'one'],
      ['retry', 'one'],
    ]);
  });
});

describe('JobHandle.progress$', () => {
  /** Notes what comes out of the stream. */
  function listen() {
    const events: unknown[] = [];
    const subscription = handle.progress$.subscribe({
      next: (value) => events.push(value),
      error: (reason: unknown) => events.push(reason),
      complete: () => events.push('complete'),
    });
    return { events, subscription };
  }

  it('watches nothing before somebody subscribes, nor after', async () => {
    void handle.progress$;
    expect(engine.observers.size).toBe(0);
    const { subscription } = listen();
    expect(engine.observers.size).toBe(1);
    subscription.unsubscribe();
    expect(engine.observers.size).toBe(0);
  });

  it('begins with the present value and goes on in order until the job ends', async () => {
    engine.record('one', { progress: '1' });
    const { events } = listen();
    await vi.waitFor(() => expect(events).toEqual([1]));
    engine.push('2');
    engine.push('2');
    engine.push('3');
    engine.settle({ state: 'failed', error });
    expect(events).toEqual([1, 2, 2, 3, 'complete']);
    expect(engine.observers.size).toBe(0);
  });

  it('does not show the present value twice when its message comes late', async () => {
    engine.record('one', { progress: '1' });
    const { events } = listen();
    await vi.waitFor(() => expect(events).toEqual([1]));
    engine.push('1');
    engine.push('2');
    expect(events).toEqual([1, 2]);
  });

  it('does not go back to a stored value when a newer one came first', async () => {
    engine.record('one', { progress: '1' });
    const { events } = listen();
    engine.push('2');
    engine.settle({ state: 'completed' });
    await vi.waitFor(() => expect(events).toEqual([2, 'complete']));
  });

  it('shows the last value of a job that has ended', async () => {
    engine.record('one', { progress: '{"done":2}' });
    engine.settlement = { state: 'completed' };
    const { events } = listen();
    await vi.waitFor(() => expect(events).toEqual([{ done: 2 }, 'complete']));
  });

  it.each(['completed', 'cancelled', 'expired', 'unknown'] as const)('completes when the job is %s', async (state) => {
    engine.settlement = { state };
    const { events } = listen();
    await vi.waitFor(() => expect(events).toEqual(['complete']));
  });

  it('fails when the engine is lost', () => {
    engine.findError = lost;
    const { events } = listen();
    engine.settle({ state: 'lost', error: lost });
    expect(events).toEqual([lost]);
    expect(engine.observers.size).toBe(0);
  });
});
