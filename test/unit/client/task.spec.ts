import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { task } from '../../../lib/client/task.js';
import { InvalidOptionsError, UnknownTaskError } from '../../../lib/contracts/errors.js';
import { TaskSignature, type Signature } from '../../../lib/contracts/signature.js';
import type { TaskContext } from '../../../lib/contracts/task-context.js';
import { Ctx } from '../../../lib/decorators/ctx.decorator.js';
import { Task } from '../../../lib/decorators/task.decorator.js';

const shared = task<[file: string], void>('files.share', { queue: 'files' });

abstract class BaseTasks {
  @Task() inherited(_file: string): void {}
}

class FileTasks extends BaseTasks {
  static readonly early = task(FileTasks);

  @Task() archive(_file: string, _retries: number = 1, @Ctx() _context?: TaskContext): void {}
  @Task() many(..._files: string[]): void {}
  @Task({ name: 'files.list' }) list(): string[] {
    return [];
  }
  @Task(shared) share(_file: string): void {}
  toJSON(): string {
    return 'instance';
  }
  arhive(): void {}
  get trap(): () => void {
    throw new Error('a getter was triggered');
  }
}

const argsOf = (signature: Signature<unknown>) => (signature as TaskSignature<unknown>).args;

describe('A contract with a schema', () => {
  it('gives it to its calls, with more options too', () => {
    const schema = z.string();
    const contract = task<[name: string], void>('names.check', { schema, queue: 'files' });
    expect(contract('ada').with({ attempts: 2 })).toMatchObject({ schema, options: { queue: 'files', attempts: 2 } });
  });

  it('is refused where that is none', () => {
    const make = () => task<[], void>('names.check', { schema: { parse: () => 1 } as never });
    expect(make).toThrow(/task\('names.check'\): schema is Object\. Give a schema with '~standard'\.validate/);
  });
});

describe('task(Class)', () => {
  it('makes a signature of each decorated method', () => {
    expect(task(FileTasks).archive('a', 2)).toEqual(new TaskSignature('FileTasks.archive', ['a', 2], {}, false));
  });

  it('names tasks by class and method, by the name option, or by the contract', () => {
    expect(task(FileTasks).archive.taskName).toBe('FileTasks.archive');
    expect(task(FileTasks).list.taskName).toBe('files.list');
    expect(task(FileTasks).share.taskName).toBe('files.share');
  });

  it('names inherited tasks by the class that was given', () => {
    expect(task(FileTasks).inherited.taskName).toBe('FileTasks.inherited');
    expect(task(BaseTasks).inherited.taskName).toBe('BaseTasks.inherited');
  });

  it('answers the same refs for the same class', () => {
    expect(task(FileTasks)).toBe(task(FileTasks));
    expect(task(FileTasks).archive).toBe(task(FileTasks).archive);
  });

  it('can be called before the decorators have run', () => {
    expect(FileTasks.early.archive.taskName).toBe('FileTasks.archive');
  });

  it('drops what a list passes beyond the parameters', () => {
    const calls = ['a', 'b'].map(task(FileTasks).inherited);
    expect(calls.map(argsOf)).toEqual([['a'], ['b']]);
  });

  it('keeps arguments of default and rest parameters, not those in the place of the context', () => {
    const loose = task(FileTasks).archive as (...args: unknown[]) => Signature<void>;
    expect(argsOf(loose('a', 5, 'context', 'more'))).toEqual(['a', 5]);
    expect(argsOf(task(FileTasks).many('a', 'b', 'c'))).toEqual(['a', 'b', 'c']);
  });

  it('drops trailing undefined', () => {
    expect(argsOf(task(FileTasks).archive('a', undefined))).toEqual(['a']);
  });

  it('refuses an undecorated method at once, naming the nearest task', () => {
    const read = () => task(FileTasks).arhive;
    expect(read).toThrow(UnknownTaskError);
    expect(read).toThrow("FileTasks.arhive is no task. Put @Task() on the method. Did you mean 'archive'?");
  });

  it('is no thenable and survives being printed, compared and turned into text', async () => {
    const refs = task(FileTasks);
    expect(await Promise.resolve(refs as object)).toBe(refs);
    expect(JSON.stringify(refs)).toBe('{}');
    expect(String(refs as unknown)).toBe('[object Object]');
    expect(refs).toEqual(refs);
    expect((refs as unknown as Record<symbol, unknown>)[Symbol.iterator]).toBeUndefined();
    expect((refs as unknown as { trap: unknown }).trap).toBeUndefined();
  });

  it('is no thenable, even for a class with a task of that name', async () => {
    class Thenable {
      @Task() then(): void {}
    }
    const refs: object = task(Thenable);
    expect(await Promise.resolve(refs)).toBe(refs);
  });

  it.each([undefined, null, 42, {}, () => 1])('refuses %s, telling of import circles', (value) => {
    expect(() => task(value as never)).toThrow(InvalidOptionsError);
    expect(() => task(value as never)).toThrow(/import circle/);
  });
});

describe('task(name)', () => {
  it('makes a contract whose options are defaults of its calls', () => {
    expect(shared('a')).toEqual(new TaskSignature('files.share', ['a'], { queue: 'files' }, true));
    expect(shared.taskName).toBe('files.share');
  });

  it('keeps all arguments, because it does not know the method', () => {
    expect(argsOf((shared as (...args: unknown[]) => Signature<void>)('a', 'b', undefined))).toEqual(['a', 'b']);
  });

  it('is not touched by later changes of the options it was given', () => {
    const options = { queue: 'a' };
    const contract = task<[], void>('x', options);
    options.queue = 'b';
    expect(contract()).toMatchObject({ options: { queue: 'a' } });
  });

  it.each([{ attempts: 0 }, { quue: 'mail' }, { jobId: 'always-the-same' }, { at: new Date() }, null])(
    'refuses the options %j',
    (options) => {
      expect(() => task('x', options as never)).toThrow(InvalidOptionsError);
    },
  );

  it('refuses an empty name', () => {
    expect(() => task('')).toThrow(InvalidOptionsError);
  });
});

describe('signature.with', () => {
  it('answers a copy, the nearer options winning', () => {
    const call = shared('a');
    const changed = call.with({ queue: 'mail', delay: '5s' }).with({ delay: 0 });
    expect(changed).toMatchObject({ args: ['a'], options: { queue: 'mail', delay: 0 }, isContract: true });
    expect(call).toMatchObject({ options: { queue: 'files' } });
    expect(Object.isFrozen(changed)).toBe(true);
  });

  it('checks the options at once', () => {
    expect(() => shared('a').with({ attempts: 0 })).toThrow(/with\(\) on a call of files.share: attempts is 0/);
  });
});
