import { Injectable, Logger, Module, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  DuplicateTaskError,
  InvalidOptionsError,
  InvalidTaskError,
  TasksConfigurationError,
  UnknownQueueError,
} from '../../../lib/contracts/errors.js';
import { TaskContext } from '../../../lib/contracts/task-context.js';
import type { TaskOptions } from '../../../lib/contracts/task-options.js';
import { task } from '../../../lib/client/task.js';
import { Ctx } from '../../../lib/decorators/ctx.decorator.js';
import { Task } from '../../../lib/decorators/task.decorator.js';
import { createTaskRegistry } from '../../../lib/discovery/task-registry.js';
import { explore } from './explore.js';

@Injectable()
class MailTasks {
  @Task() send(): void {}
  @Task() count(): void {}
}

async function problemsOf(...providers: Type[]) {
  return (await explore({ providers })).problems;
}

function classWith(options: unknown): Type {
  class OptionTasks {
    @Task(options as TaskOptions) run(): void {}
  }
  return OptionTasks;
}

describe('Two tasks of one name', () => {
  it('are a problem that names both places', async () => {
    class OtherTasks {
      @Task({ name: 'MailTasks.send' }) post(): void {}
    }
    const problems = await problemsOf(MailTasks, OtherTasks);
    expect(problems).toEqual([expect.any(DuplicateTaskError)]);
    expect(problems[0].message).toMatch(
      /'MailTasks.send' is claimed by MailTasks.send \(AppModule\) and by OtherTasks.post/,
    );
  });

  it('are a problem within one class', async () => {
    class TwinTasks {
      @Task({ name: 'twin' }) first(): void {}
      @Task({ name: 'twin' }) second(): void {}
    }
    expect(await problemsOf(TwinTasks)).toEqual([expect.any(DuplicateTaskError)]);
  });

  it('are a problem when two classes inherit a name of its own', async () => {
    class BaseTasks {
      @Task({ name: 'shared' }) run(): void {}
    }
    class First extends BaseTasks {}
    class Second extends BaseTasks {}
    expect((await problemsOf(First, Second))[0].message).toMatch(/First\.run .* Second\.run/);
  });

  it('are a problem when two different classes are called the same', async () => {
    const Other = { MailTasks: class MailTasks {} }.MailTasks;
    Task()(Other.prototype, 'send', { value: Object.assign(Other.prototype, { send: () => undefined }).send });
    expect(await problemsOf(MailTasks, Other)).toEqual([expect.any(DuplicateTaskError)]);
  });
});

describe('One class provided twice', () => {
  @Module({ providers: [MailTasks] })
  class OtherModule {}

  it('is one task each, on the first instance, with one warning', async () => {
    const { problems, warnings, names } = await explore({ imports: [OtherModule], providers: [MailTasks] });
    expect(names).toEqual(['MailTasks.send', 'MailTasks.count']);
    expect(problems).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /MailTasks is provided twice, in (AppModule and in OtherModule|OtherModule and in AppModule)/,
    );
  });

  it('is nothing to warn of when both are one mock', async () => {
    const { names, warnings } = await explore({ imports: [OtherModule], providers: [MailTasks] }, (builder) =>
      builder.overrideProvider(MailTasks).useValue({ send: vi.fn() }),
    );
    expect({ names, warnings }).toEqual({ names: ['MailTasks.send'], warnings: [] });
  });
});

describe('The context parameter', () => {
  it('is a problem without @Ctx()', async () => {
    class ContextTasks {
      @Task() run(_file: string, _context: TaskContext): void {}
    }
    const [problem] = await problemsOf(ContextTasks);
    expect(problem).toBeInstanceOf(InvalidTaskError);
    expect(problem.message).toMatch(
      /ContextTasks\.run has a TaskContext parameter without @Ctx\(\).*`@Ctx\(\) context: TaskContext`/,
    );
  });

  it('is a problem when it is not the last one', async () => {
    class ContextTasks {
      @Task() first(@Ctx() _context: TaskContext, _file: string): void {}
      @Task() rest(@Ctx() _context: TaskContext, ..._files: string[]): void {}
    }
    const problems = await problemsOf(ContextTasks);
    expect(problems).toEqual([expect.any(InvalidTaskError), expect.any(InvalidTaskError)]);
    expect(problems[0].message).toMatch(/@Ctx\(\) on ContextTasks\.first is not on the last parameter/);
  });
});

describe('Options of @Task()', () => {
  it.each([
    { delay: '1s', queue: 'mail', attempts: 1, timeout: false, keepResult: false, name: 'own' },
    { backoff: (attempt: number) => attempt * 1000, retryOn: [TypeError, Error], discardOn: [], keepFailed: '1d' },
    { backoff: { type: 'fixed', delay: '1s' }, keepFailed: { age: '1d', count: 0 }, attempts: undefined },
    { priority: 'low', expires: '1h', unique: { until: 'finished' }, tags: ['import'] },
    { concurrency: { max: 1 }, rateLimit: { max: 10, per: '1s', key: () => 'a' }, onFailed: () => undefined },
    { concurrency: { max: 2, key: (id: string) => id } },
    { schema: z.object({ to: z.email() }) },
  ])('may be %j', async (options) => {
    expect(await problemsOf(classWith(options))).toEqual([]);
  });

  it.each([
    [{ attempts: 0 }, 'attempts is 0'],
    [{ atempts: 3 }, "unknown option 'atempts'. Did you mean 'attempts'?"],
    [{ jobId: 'one' }, "unknown option 'jobId'"],
    [{ name: '' }, 'name'],
    [{ schema: { parse: () => 1 } }, 'schema is Object. Give a schema with'],
    [{ delay: 'soon' }, 'delay'],
    [{ backoff: 'soon' }, 'backoff'],
    [{ timeout: 0 }, 'timeout'],
    [{ retryOn: TypeError }, 'a list of error classes'],
    [{ discardOn: [class {}] }, 'a list of error classes'],
    [{ keepFailed: true }, 'keepFailed'],
    [{ keepFailed: { age: -1 } }, 'keepFailed.age'],
    [{ keepFailed: { count: 1.5 } }, 'keepFailed.count'],
    [{ keepFailed: { cuont: 1 } }, "Did you mean 'count'?"],
    [{ concurrency: 5 }, 'concurrency is 5. Give an object such as { max: 1 }.'],
    [{ concurrency: { max: 0 } }, 'concurrency.max is 0. Give a whole number from 1 up.'],
    [{ concurrency: { max: 1, per: '1s' } }, "concurrency has an unknown field 'per'."],
    [{ concurrency: { max: 1, key: 'id' } }, "concurrency.key is 'id'. Give a function"],
    [{ rateLimit: { per: '1s' } }, 'rateLimit.max is undefined. Give a whole number from 1 up.'],
    [{ rateLimit: { max: 1 } }, 'rateLimit.per is undefined, which is no duration.'],
    [{ rateLimit: { max: 1, per: 0 } }, 'rateLimit.per is 0. Give a duration above 0.'],
    [{ rateLimit: { max: 1, per: '1s', kee: 1 } }, "Did you mean 'key'?"],
    [{ rateLimt: {} }, "unknown option 'rateLimt'. Did you mean 'rateLimit'?"],
    [{ onFailed: 'alert' }, "onFailed is 'alert'. Give a function that makes a call of the failure."],
    [{ unique: { until: 'done' } }, "unique.until is 'done'"],
    [{ priority: 'urgent' }, 'priority'],
    ['mail', 'object of options'],
  ])('cannot be %j', async (options, message) => {
    const problems = await problemsOf(classWith(options));
    expect(problems).toEqual([expect.any(InvalidOptionsError)]);
    expect(problems[0].message).toContain(message);
    expect(problems[0].message).toContain('OptionTasks.run');
  });

  it.each([{ queue: 'mial' }, undefined])('name a declared queue', async (options) => {
    const contract = task<[], void>('run', { queue: 'mial' });
    class QueueTasks {
      @Task(contract) run(): void {}
    }
    const [problem] = await problemsOf(options ? classWith(options) : QueueTasks);
    expect(problem).toBeInstanceOf(UnknownQueueError);
    expect(problem.message).toMatch(/Tasks\.run names the queue 'mial'.*Did you mean 'mail'/);
  });
});

describe('createTaskRegistry', () => {
  afterEach(() => vi.restoreAllMocks());

  it('throws every problem at once', async () => {
    class BrokenTasks {
      @Task({ attempts: 0, timeout: 0, queue: 'none' }) run(_context: TaskContext): void {}
      @Task() static unreachable(): void {}
    }
    const explored = await explore({ providers: [BrokenTasks] });
    const create = () => createTaskRegistry(explored);
    expect(create).toThrow(TasksConfigurationError);
    expect(explored.problems.map(({ code }) => code).toSorted()).toEqual([
      'TASKS_INVALID_OPTIONS',
      'TASKS_INVALID_OPTIONS',
      'TASKS_INVALID_TASK',
      'TASKS_INVALID_TASK',
      'TASKS_UNKNOWN_QUEUE',
    ]);
    expect(create).toThrow(/5 problem\(s\)[^]*static method BrokenTasks.unreachable/);
  });

  it('finds tasks by name and logs the warnings', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const registry = createTaskRegistry({ ...(await explore({ providers: [MailTasks] })), warnings: ['look here'] });
    expect(registry.names()).toEqual(['MailTasks.send', 'MailTasks.count']);
    expect(registry.get('MailTasks.send')?.place).toBe('MailTasks.send');
    expect(registry.get('MailTasks.none')).toBeUndefined();
    expect(warn).toHaveBeenCalledExactlyOnceWith('look here');
  });
});
