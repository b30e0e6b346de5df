import { Injectable, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../lib/contracts/engine.js';
import {
  Task,
  task,
  TaskAdmin,
  TaskQueue,
  TasksModule,
  type FailedJob,
  type JobHandle,
  type Redact,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { TASKS_ENGINE } from '../../lib/tasks.tokens.js';
import { ENGINES } from '../support/engines.js';
import { newJob } from '../support/new-job.js';

const CARD = '4111-1111';
const redact: Redact = (value, path) => (path.at(-1) === 'card' ? '***' : value);

/** Quotes what it refuses, as many schemas do. */
const quoting: StandardSchemaV1<unknown, { card: string; to: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { card, to } = value as { card: string; to: string };
      const issues = [];
      if (card === CARD) issues.push({ path: ['card'], message: `Expected a token but received "${card}"` });
      if (to === 'nobody') issues.push({ path: ['to'], message: `Nobody is called "${to}"` });
      return issues.length > 0 ? { issues } : { value: { card, to } };
    },
  },
};

interface Payment {
  card: string;
  to: string;
}

@Injectable()
class PayTasks {
  readonly failures: FailedJob[] = [];

  @Task({ attempts: 1, onFailed: (failure) => task(PayTasks).note(failure.args) })
  pay(_payment: Payment): void {
    throw new Error('The bank is closed.');
  }

  @Task() note(_args: readonly unknown[]): void {}

  @Task({ schema: quoting }) checked(_payment: Payment): void {}

  @Task({ unique: { key: ({ card }: Payment) => Number(card.replace('-', '')) as never, until: 'finished' } })
  keyed(_payment: Payment): void {}
}

const pay = task(PayTasks);
const payment: Payment = { card: CARD, to: 'nobody' };

let app: INestApplicationContext | undefined;
let lines: string[];

beforeEach(() => {
  lines = [];
});
afterEach(() => app?.close());

async function start(options: TasksModuleOptions): Promise<TaskQueue> {
  const note = (...line: unknown[]): void => void lines.push(line.map(String).join(' '));
  const logger: LoggerService = { log: note, warn: note, error: note, debug: note, verbose: note };
  const testing = Test.createTestingModule({ imports: [TasksModule.forRoot(options)], providers: [PayTasks] });
  app = await (await testing.compile()).createNestApplication({ logger }).init();
  return app.get(TaskQueue);
}

/** The error of a promise, with all that stands in it. */
async function errorOf(promise: Promise<unknown>): Promise<{ text: string; error: Error }> {
  const error = await promise.then(
    () => new Error('It did not fail.'),
    (thrown: Error) => thrown,
  );
  const { message, stack, cause } = error;
  return { error, text: JSON.stringify([error, message, stack, cause, (cause as Error | undefined)?.message]) };
}

const resultOf = <R>(job: JobHandle<R>) => job.result({ timeout: '10s' });

async function enqueueRaw(id: string, name: string, args: string): Promise<JobHandle> {
  await app!.get<Engine>(TASKS_ENGINE).enqueue([newJob(id, { task: name, args })]);
  return app!.get(TaskQueue).job(id);
}

describe.each(ENGINES)('With redact, on the %s engine', (_engine, options) => {
  it('the error of a failed job shows redacted arguments; who reads or follows the job gets them whole', async () => {
    const queue = await start({ ...options(), redact });
    const job = await queue.enqueue(pay.pay(payment));
    const { error, text } = await errorOf(resultOf(job));
    expect(error).toMatchObject({ job: { args: [{ card: '***', to: 'nobody' }] } });
    expect(text).not.toContain(CARD);
    expect((await job.info())!.args).toEqual([payment]);
    expect((await app!.get(TaskAdmin).list({ state: 'failed' })).jobs[0].args).toEqual([payment]);
    const following = queue.job(`${job.id}:failed`);
    await resultOf(following);
    expect((await following.info())!.args).toEqual([[payment]]);
    expect(lines.join('\n')).toContain('The bank is closed.');
    expect(lines.join('\n')).not.toContain(CARD);
  });

  it('a schema that quotes what it refuses is heard for values that are shown only', async () => {
    const queue = await start({ ...options(), redact });
    const { error } = await errorOf(queue.enqueue(pay.checked(payment)));
    expect(error).toMatchObject({
      issues: [
        { path: 'arguments[0].card', message: 'it does not fit; redact hides the value' },
        { path: 'arguments[0].to', message: 'Nobody is called "nobody"' },
      ],
    });
    expect(error.message).not.toContain(CARD);
    const job = await enqueueRaw('raw', 'PayTasks.checked', JSON.stringify([payment]));
    const { text } = await errorOf(resultOf(job));
    expect(text).toContain('redact hides the value');
    expect(text + lines.join('\n') + JSON.stringify((await job.info())!.runs)).not.toContain(CARD);
  });
});

describe.each(ENGINES)('Without redact, on the %s engine', (_engine, options) => {
  it.each([
    ['broken arguments', `["${CARD}"`],
    ['arguments that are no list', JSON.stringify(CARD)],
    ['a short text', CARD],
  ])('no message or log line quotes %s', async (_what, args) => {
    await start(options());
    const job = await enqueueRaw('broken', 'PayTasks.note', args);
    const { error } = await errorOf(resultOf(job));
    expect(error).toMatchObject({ job: { error: { code: 'TASKS_INVALID_PAYLOAD' } } });
    expect(lines.join('\n')).toContain('cannot be read');
    expect(error.message + lines.join('\n') + String(error.cause) + (error.cause as Error).stack!).not.toContain(CARD);
  });

  it('no message quotes what a key function made of the arguments', async () => {
    const queue = await start(options());
    const { error, text } = await errorOf(queue.enqueue(pay.keyed({ card: '4111-1111', to: 'ada' })));
    expect(error.message).toContain('unique.key of task PayTasks.keyed answered a value of type number');
    expect(text).not.toContain('41111111');
  });

  it('no message quotes arguments that JSON would change, or that are too large', async () => {
    const queue = await start({ ...options(), maxPayload: 50 });
    const changed = await errorOf(queue.enqueue(pay.pay({ card: CARD, to: new Date() as never })));
    expect(changed.text).not.toContain(CARD);
    const large = await errorOf(queue.enqueue(pay.pay({ card: CARD, to: 'x'.repeat(100) })));
    expect(large.error.message).toContain('maxPayload');
    expect(large.text).not.toContain(CARD);
  });
});

it('redact is refused at boot where it is no function', async () => {
  await expect(start({ redact: ['card'] as never })).rejects.toThrow(/redact is a list. Give a function/);
});
