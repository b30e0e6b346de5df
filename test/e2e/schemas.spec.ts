import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Engine } from '../../lib/contracts/engine.js';
import {
  InvalidPayloadError,
  Task,
  task,
  TaskFailedError,
  TaskQueue,
  TasksModule,
  type JobHandle,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { TASKS_ENGINE } from '../../lib/tasks.tokens.js';
import { ENGINES } from '../support/engines.js';
import { newJob } from '../support/new-job.js';

interface Mail {
  to: string;
  subject?: string;
}

const mailSchema = z.object({ to: z.email().toLowerCase(), subject: z.string().default('Hello') });
const known = new Set(['ada']);
const userSchema = z
  .string()
  .refine(async (name) => known.has(name), 'nobody knows this user')
  .transform(async (name) => name.toUpperCase());

const checked = task<[mail: Mail], Mail>('mail.contract', { schema: mailSchema });
const elsewhere = task<[mail: Mail], void>('mail.elsewhere', { schema: mailSchema });

@Injectable()
class MailTasks {
  readonly sent: Mail[] = [];
  readonly failures: (readonly unknown[])[] = [];

  @Task({ schema: mailSchema, attempts: 3, backoff: 0 })
  send(mail: Mail): Mail {
    this.sent.push(mail);
    return mail;
  }

  @Task({ schema: userSchema })
  greet(name: string, times: number): string {
    return `${name} ${times}`;
  }

  @Task({ schema: z.string().transform(() => new Promise<string>(() => undefined)), timeout: '50ms', attempts: 1 })
  stuck(_name: string): void {}

  @Task(checked)
  contract(mail: Mail): Mail {
    return mail;
  }

  @Task({
    name: 'followed',
    schema: mailSchema,
    attempts: 1,
    onFailed: ({ args }) => task(MailTasks).note(args),
  })
  followed(_mail: Mail): void {
    throw new Error('The server is away.');
  }

  @Task() note(args: readonly unknown[]): void {
    this.failures.push(args);
  }
}

let app: INestApplicationContext | undefined;
afterEach(() => app?.close());

async function start(options: TasksModuleOptions): Promise<TaskQueue> {
  const testing = Test.createTestingModule({
    imports: [TasksModule.forRoot(options)],
    providers: [MailTasks],
  });
  app = await (await testing.compile()).createNestApplication({ logger: false }).init();
  return app.get(TaskQueue);
}

/** As an application would that knows the task's name only. */
async function enqueueUnchecked(queue: TaskQueue, name: string, args: readonly unknown[]): Promise<JobHandle> {
  const engine = app!.get<Engine>(TASKS_ENGINE, { strict: false });
  const [{ id }] = await engine.enqueue([newJob('unchecked', { task: name, args: JSON.stringify(args) })]);
  return queue.job(id);
}

const resultOf = <R>(job: JobHandle<R>) => job.result({ timeout: '10s' });

describe.each(ENGINES)('A task with a schema, on the %s engine', (_engine, options) => {
  it('gets what the schema makes of the argument; what is stored is what was given', async () => {
    const queue = await start(options());
    const job = await queue.enqueue(task(MailTasks).send({ to: 'Ada@Example.com' }));
    expect(await resultOf(job)).toEqual({ to: 'ada@example.com', subject: 'Hello' });
    expect((await job.info())!.args).toEqual([{ to: 'Ada@Example.com' }]);
  });

  it('is not enqueued with an argument that does not fit', async () => {
    const queue = await start(options());
    const enqueued = queue.enqueue(task(MailTasks).send({ to: 'nobody' }), { jobId: 'refused' });
    await expect(enqueued).rejects.toThrow(InvalidPayloadError);
    await expect(enqueued).rejects.toMatchObject({
      message: expect.stringContaining('MailTasks.send'),
      issues: [{ path: 'arguments[0].to', message: expect.any(String) }],
    });
    expect(await queue.job('refused').state()).toBe('unknown');
  });

  it('may have one that asks somebody', async () => {
    const queue = await start(options());
    expect(await resultOf(await queue.enqueue(task(MailTasks).greet('ada', 2)))).toBe('ADA 2');
    await expect(queue.enqueue(task(MailTasks).greet('eve', 1))).rejects.toThrow('nobody knows this user');
  });

  it('refuses a list of calls for one that does not fit, and enqueues none', async () => {
    const queue = await start({ ...options(), worker: false });
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const calls = [
      task(MailTasks).greet('ada', 1).with({ jobId: 'first' }),
      task(MailTasks).greet('eve', 1),
      task(MailTasks).send({ to: 'nobody' }),
    ];
    await expect(queue.enqueueMany(calls.slice(0, 2))).rejects.toThrow('nobody knows this user');
    // One is refused at once, while the schema of another still asks.
    await expect(queue.enqueueMany(calls)).rejects.toThrow(InvalidPayloadError);
    expect(await queue.job('first').state()).toBe('unknown');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('fails at once, and is not called, where nobody checked the argument before', async () => {
    const queue = await start(options());
    const job = await enqueueUnchecked(queue, 'MailTasks.send', [{ to: 'nobody' }]);
    await expect(resultOf(job)).rejects.toMatchObject({
      job: {
        error: { code: 'TASKS_INVALID_PAYLOAD', message: expect.stringContaining('arguments[0].to') },
        runs: [{ attempt: 1, outcome: 'failed' }],
      },
    });
    expect(app!.get(MailTasks).sent).toEqual([]);
    const next = await queue.enqueue(task(MailTasks).send({ to: 'ada@example.com' }));
    await resultOf(next);
  });

  it('is stopped by its timeout where the schema never answers', async () => {
    const queue = await start({ ...options(), shutdownGrace: 0 });
    const job = await enqueueUnchecked(queue, 'MailTasks.stuck', ['ada']);
    await expect(resultOf(job)).rejects.toMatchObject({ cause: { name: 'TaskTimeoutError' } });
  });

  it('is checked by the schema of its contract, for who calls and who carries out', async () => {
    const queue = await start(options());
    expect(await resultOf(await queue.enqueue(checked({ to: 'A@example.com' })))).toEqual({
      to: 'a@example.com',
      subject: 'Hello',
    });
    await expect(queue.enqueue(checked({ to: 'nobody' }))).rejects.toThrow(InvalidPayloadError);
    await expect(queue.enqueue(elsewhere({ to: 'nobody' }).with({ priority: 'low' }))).rejects.toThrow(
      InvalidPayloadError,
    );
  });

  it('hands the stored argument to onFailed, and starts afresh with it', async () => {
    const queue = await start(options());
    const job = await queue.enqueue(task(MailTasks).followed({ to: 'Ada@Example.com' }));
    await expect(resultOf(job)).rejects.toThrow(TaskFailedError);
    await resultOf(queue.job(`${job.id}:failed`));
    expect(app!.get(MailTasks).failures[0]).toEqual([{ to: 'Ada@Example.com' }]);
    expect(await job.retry()).toBe(true);
    await expect(resultOf(job)).rejects.toMatchObject({ job: { args: [{ to: 'Ada@Example.com' }] } });
  });
});
