import { describe, expect, it } from 'vitest';
import { task } from '../../../lib/client/task.js';
import { TaskQueue } from '../../../lib/client/task-queue.js';
import {
  InvalidOptionsError,
  InvalidPayloadError,
  UnknownQueueError,
  UnknownTaskError,
} from '../../../lib/contracts/errors.js';
import type { Signature } from '../../../lib/contracts/signature.js';
import type { EnqueueOptions } from '../../../lib/contracts/task.js';
import { Task } from '../../../lib/decorators/task.decorator.js';
import type { TaskDefinition } from '../../../lib/discovery/task-definition.js';
import { FakeEngine, registryOf, settings } from './fake-engine.js';

class Mail {
  @Task() send(_to: unknown): void {}
  @Task() count(): number {
    return 0;
  }
}

const mail = task(Mail);
const elsewhere = task<[to: string], void>('mail.elsewhere', {
  queue: 'mail',
  timeout: '1s',
  metadata: { from: 'contract' },
});

function setUp(definition: Partial<TaskDefinition> = {}) {
  const engine = new FakeEngine();
  const registry = registryOf({ name: 'Mail.send', ...definition }, { name: 'Mail.count' });
  return { engine, queue: new TaskQueue(engine, () => registry, settings) };
}

describe('TaskQueue.enqueue', () => {
  it('stores the call as a job of the default queue', async () => {
    const { engine, queue } = setUp();
    const before = Date.now();
    const handle = await queue.enqueue(mail.send('ada'));
    const [job] = engine.jobs;
    expect(job).toEqual({
      id: handle.id,
      queue: 'default',
      task: 'Mail.send',
      args: '["ada"]',
      options: { attempts: 3 },
      enqueuedAt: expect.any(Number),
    });
    expect(job.enqueuedAt).toBeGreaterThanOrEqual(before);
    expect(handle).toMatchObject({ task: 'Mail.send', deduplicated: false });
    expect(handle.id).toMatch(/^[\w-]{16}$/);
  });

  it('stores only what contract, signature and call set, and the attempts of a known task', async () => {
    const { engine, queue } = setUp({ options: { attempts: 7, timeout: '1m', keepResult: '1m' } });
    await queue.enqueue(mail.send('ada').with({ backoff: 5 }));
    expect(engine.jobs[0].options).toEqual({ attempts: 7, backoff: expect.objectContaining({ delay: 5 }) });
  });

  it('takes each option from the place nearest to the call', async () => {
    const { engine, queue } = setUp({
      options: { queue: 'slow', attempts: 1 },
      contractOptions: { queue: 'default', attempts: 2, timeout: 1, metadata: { a: '1', b: '1' } },
    });
    const signature = mail.send('ada').with({ queue: 'mail', attempts: 4, metadata: { b: '2', c: '2' } });
    await queue.enqueue(signature, { attempts: 5, metadata: { c: '3' } });
    await queue.enqueue(signature);
    await queue.enqueue(mail.send('ada'));
    expect(engine.jobs.map((job) => [job.queue, job.options.attempts, job.options.timeout])).toEqual([
      ['mail', 5, 1],
      ['mail', 4, 1],
      ['default', 2, 1],
    ]);
    expect(engine.jobs[0].metadata).toEqual({ a: '1', b: '2', c: '3' });
  });

  it('sends a contract that no task here implements, with its own options', async () => {
    const { engine, queue } = setUp();
    await queue.enqueue(elsewhere('ada'));
    expect(engine.jobs[0]).toMatchObject({ task: 'mail.elsewhere', queue: 'mail', metadata: { from: 'contract' } });
    expect(engine.jobs[0].options).toEqual({ timeout: 1000 });
  });

  it.each([
    ['a delay', { delay: '5s' }, 5_000],
    ['an instant to come', { at: new Date(Date.now() + 60_000) }, undefined],
  ] as [string, EnqueueOptions, number?][])(
    'makes %s the instant from which the job may start',
    async (_, options, delay) => {
      const { engine, queue } = setUp({ options: { delay: '1h' } });
      await queue.enqueue(mail.send('ada'), options);
      const [{ dueAt, enqueuedAt }] = engine.jobs;
      expect(dueAt).toBe(delay === undefined ? options.at!.getTime() : enqueuedAt + delay);
    },
  );

  it.each([{ delay: 0 }, { at: new Date(0) }])(
    'makes a job due at once with %j, whatever the task says',
    async (options) => {
      const { engine, queue } = setUp({ options: { delay: '1h' } });
      await queue.enqueue(mail.send('ada'), options);
      expect(engine.jobs[0].dueAt).toBeUndefined();
    },
  );

  it("takes the task's delay where the call says nothing", async () => {
    const { engine, queue } = setUp({ options: { delay: '1h' } });
    await queue.enqueue(mail.send('ada'));
    expect(engine.jobs[0].dueAt).toBe(engine.jobs[0].enqueuedAt + 3_600_000);
  });

  it('tells when an earlier job of the same id answers', async () => {
    const { queue } = setUp();
    expect((await queue.enqueue(mail.send('ada'), { jobId: 'one' })).deduplicated).toBe(false);
    const second = await queue.enqueue(mail.send('ada').with({ jobId: 'one' }));
    expect(second).toMatchObject({ id: 'one', deduplicated: true });
  });

  it.each([
    ['a promise', Promise.resolve(), /promise.*task\(Class\)/],
    ['a task', mail.send, /the task Mail\.send itself/],
    ['a function', () => 1, /@Task\(\)/],
    ['a text', 'mail.send', /contract/],
    ['a list', [], /enqueueMany/],
    ['nothing', undefined, /type undefined/],
    ['null', null, /null/],
  ])('refuses %s and says what to pass', async (_, value, message) => {
    const { engine, queue } = setUp();
    const enqueued = queue.enqueue(value as never);
    await expect(enqueued).rejects.toThrow(InvalidOptionsError);
    await expect(enqueued).rejects.toThrow(message);
    expect(engine.batches).toEqual([]);
  });

  it('refuses an unknown task with the nearest name', async () => {
    class Mial {
      @Task() send(): void {}
    }
    const enqueued = setUp().queue.enqueue(task(Mial).send());
    await expect(enqueued).rejects.toThrow(UnknownTaskError);
    await expect(enqueued).rejects.toThrow(/'Mial\.send' is not known.*Did you mean 'Mail\.send'/);
  });

  it.each([mail.send('ada'), elsewhere('ada')])(
    'refuses an undeclared queue with the nearest name',
    async (signature) => {
      const enqueued = setUp().queue.enqueue(signature, { queue: 'mial' });
      await expect(enqueued).rejects.toThrow(UnknownQueueError);
      await expect(enqueued).rejects.toThrow(/'mial'.*Did you mean 'mail'/);
    },
  );

  it('refuses bad options', async () => {
    await expect(setUp().queue.enqueue(mail.send('ada'), { attempts: 0 })).rejects.toThrow(
      /enqueue\(\): attempts is 0/,
    );
  });

  it('refuses arguments that JSON would change, naming the place', async () => {
    const enqueued = setUp().queue.enqueue(mail.send({ at: new Date() }));
    await expect(enqueued).rejects.toThrow(InvalidPayloadError);
    await expect(enqueued).rejects.toThrow(/^Arguments of Mail\.send .* arguments\[0\]\.at: a Date/);
  });

  it('refuses arguments that are too large, and says which one it is and what to do', async () => {
    const { engine, queue } = setUp();
    // 332 characters of 3 bytes each, and the quotes and brackets.
    await queue.enqueue(mail.send('あ'.repeat(332)));
    const enqueued = queue.enqueue(mail.send('あ'.repeat(333)));
    await expect(enqueued).rejects.toThrow(
      /Mail\.send have 1,003 bytes .* in argument 1, where maxPayload allows 1,000\. Store the data .* raise maxPayload/,
    );
    await expect(enqueued).rejects.toMatchObject({ issues: [{ path: 'arguments[0]', message: '1001 bytes' }] });
    expect(engine.jobs).toHaveLength(1);
  });

  it('reads the registry at the first use, not before', () => {
    const early = () => new TaskQueue(new FakeEngine(), () => expect.unreachable(), settings).job('one');
    expect(early).not.toThrow();
  });
});

describe('TaskQueue.enqueueMany', () => {
  it('stores all calls in one step and answers their handles in order', async () => {
    const { engine, queue } = setUp();
    const handles = await queue.enqueueMany([mail.send('ada'), mail.count()], { queue: 'mail', delay: 10 });
    expect(engine.batches).toHaveLength(1);
    expect(engine.jobs.map((job) => [job.task, job.queue, job.id])).toEqual([
      ['Mail.send', 'mail', handles[0].id],
      ['Mail.count', 'mail', handles[1].id],
    ]);
    expect(engine.jobs.every(({ dueAt, enqueuedAt }) => dueAt === enqueuedAt + 10)).toBe(true);
  });

  it('answers an empty list without asking the engine', async () => {
    const { engine, queue } = setUp();
    expect(await queue.enqueueMany([])).toEqual([]);
    expect(engine.batches).toEqual([]);
  });

  it.each([
    ['a call is none', [mail.send('ada'), 'mail.send'], {}, /item 1, takes a call/],
    ['an argument cannot be sent', [mail.send('ada'), mail.send(1n)], {}, /BigInt/],
    ['a queue is not declared', [mail.send('ada'), mail.send('ada').with({ queue: 'none' })], {}, /'none'/],
    ['one id is given to all', [mail.send('ada')], { jobId: 'one' }, /with\(\{ jobId \}\)/],
    ['there is no list', mail.send('ada'), {}, /takes a list/],
  ])('sends nothing when %s', async (_, calls, options, message) => {
    const { engine, queue } = setUp();
    await expect(queue.enqueueMany(calls as Signature<unknown>[], options as EnqueueOptions)).rejects.toThrow(message);
    expect(engine.batches).toEqual([]);
  });
});

describe('TaskQueue.enqueue with rules', () => {
  it('stores none for a call that has nothing to say', async () => {
    const { engine, queue } = setUp({ options: { priority: 'normal', tags: [] } });
    await queue.enqueue(mail.send('ada'), { priority: 'normal' });
    expect(engine.jobs[0].rules).toBeUndefined();
  });

  it('takes priority, expiry and uniqueness from the place nearest to the call, and unites tags', async () => {
    const { engine, queue } = setUp({
      options: { priority: 'low', expires: '1h', unique: { until: 'finished' }, tags: ['task'] },
      contractOptions: { tags: ['contract'] },
    });
    const signature = mail.send('ada').with({ priority: 'high', tags: ['call', 'task'] });
    await queue.enqueue(signature, { expires: '2h', tags: ['now'] });
    const [{ rules, enqueuedAt }] = engine.jobs;
    expect(rules).toEqual({
      priority: 'high',
      expiresAt: enqueuedAt + 7_200_000,
      unique: { key: expect.stringMatching(/^Mail\.send:/) as string, until: 'finished', onConflict: 'return' },
      tags: ['task', 'contract', 'call', 'now'],
    });
  });

  it('counts an expiry from the instant the job is due', async () => {
    const { engine, queue } = setUp();
    await queue.enqueue(mail.send('ada'), { delay: '1h', expires: '5m' });
    const [{ rules, dueAt }] = engine.jobs;
    expect(rules).toEqual({ expiresAt: dueAt! + 300_000 });
  });

  it('refuses arguments that cannot be sent before it makes a key of them', async () => {
    const enqueued = setUp().queue.enqueue(mail.send(1n), { unique: { until: 'finished' } });
    await expect(enqueued).rejects.toThrow(InvalidPayloadError);
  });
});

describe('TaskQueue.cancel', () => {
  it('cancels what matches and has not ended, and answers how many', async () => {
    const { engine, queue } = setUp();
    const tags = { rules: { tags: ['import'] } };
    engine.record('waiting', { state: 'waiting', ...tags });
    engine.record('running', { state: 'active', queue: 'mail', ...tags });
    engine.record('done', { state: 'completed', ...tags });
    engine.record('other', { state: 'waiting' });
    expect(await queue.cancel({ tag: 'import' })).toBe(2);
    expect(engine.actions.flatMap(({ ids }) => ids)).toEqual(['waiting', 'running']);
  });

  it.each([
    [{}, /cancel\(\) has an empty filter/],
    [{ tag: undefined }, /empty filter/],
    [{ state: 'completed' }, /cannot act on jobs in state 'completed'. Give one of 'delayed', 'waiting', 'active'/],
    [{ tags: 'a' }, /unknown option 'tags'. Did you mean 'tag'\?/],
    [{ queue: 'mial' }, /Did you mean 'mail'/],
    [undefined, /takes a filter such as/],
  ])('refuses %j', async (filter, message) => {
    const { engine, queue } = setUp();
    engine.record('waiting', { state: 'waiting' });
    await expect(queue.cancel(filter as never)).rejects.toThrow(message);
    expect(engine.actions).toEqual([]);
  });
});

describe('TaskQueue.pause', () => {
  it('pauses and resumes in the cluster, or in this process only', async () => {
    const { engine, queue } = setUp();
    await queue.pause('default');
    await queue.pause('mail', { local: true });
    expect(engine.pauses).toEqual(['cluster default', 'process mail']);
    expect(await queue.isPaused('mail')).toBe(true);
    await queue.resume('default');
    await queue.resume('mail', { local: true });
    expect(engine.pauses).toEqual([]);
    expect(await queue.isPaused('mail')).toBe(false);
  });

  it('refuses an undeclared queue with the nearest name, and unknown options', async () => {
    const { engine, queue } = setUp();
    await expect(queue.pause('mial')).rejects.toThrow(/mial.*Did you mean 'mail'/);
    await expect(queue.resume('mial')).rejects.toThrow(UnknownQueueError);
    await expect(queue.isPaused('mial')).rejects.toThrow(UnknownQueueError);
    await expect(queue.pause('mail', { locl: true } as never)).rejects.toThrow(/Did you mean 'local'/);
    expect(engine.pauses).toEqual([]);
  });
});

describe('TaskQueue.job', () => {
  it('answers a handle that looks for the id in every queue', async () => {
    const { engine, queue } = setUp();
    engine.settlement = { state: 'completed', result: '1' };
    const handle = queue.job<number>('one');
    expect(handle).toMatchObject({ id: 'one', task: undefined, deduplicated: false });
    expect(await handle.result()).toBe(1);
    expect(engine.watched).toEqual([{ id: 'one' }]);
  });
});
