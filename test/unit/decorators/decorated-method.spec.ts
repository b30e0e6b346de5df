import { describe, expect, it } from 'vitest';
import { TaskContext } from '../../../lib/contracts/task-context.js';
import { task } from '../../../lib/client/task.js';
import { Ctx } from '../../../lib/decorators/ctx.decorator.js';
import { decoratedMethod, decoratedMethods, methodNames } from '../../../lib/decorators/decorated-method.js';
import { Task } from '../../../lib/decorators/task.decorator.js';

const archive = task<[file: string], void>('files.archive', { queue: 'files' });

/** Replaces the method, as tracing and transaction decorators do. */
const Wrapped = (): MethodDecorator => (_target, _method, descriptor) => {
  const original = descriptor.value as unknown as (...args: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return original.apply(this, args);
  } as never;
};

class BaseTasks {
  @Task({ attempts: 5 }) inherited(_file: string): void {}
  @Task() overridden(): void {}
  plain(): void {}
  get trap(): never {
    throw new Error('a getter was triggered');
  }
}

class FileTasks extends BaseTasks {
  @Task({ name: 'files.send' }) send(_file: string, _retries: number = 1, @Ctx() _context?: TaskContext): void {}
  @Task(archive, { attempts: 2 }) archive(_file: string): void {}
  @Wrapped() @Task() wrapped(_file: string): void {}
  override overridden(): void {}
}

describe('@Task and @Ctx', () => {
  it('record the options and the place of the context', () => {
    expect(decoratedMethod(FileTasks.prototype, 'send')).toMatchObject({
      name: 'send',
      metadata: { name: 'files.send', options: { name: 'files.send' } },
      parameters: { count: 3, rest: false, context: 2 },
      types: [String, Number, TaskContext],
    });
  });

  it("record a contract's name and options", () => {
    expect(decoratedMethod(FileTasks.prototype, 'archive')?.metadata).toMatchObject({
      name: 'files.archive',
      options: { attempts: 2 },
      contractOptions: { queue: 'files' },
    });
  });

  it('are kept when a decorator above them wraps the method', () => {
    expect(decoratedMethod(FileTasks.prototype, 'wrapped')?.parameters).toEqual({ count: 1, rest: false });
  });

  it('check nothing', () => {
    expect(() => Task({ attempts: -1 })({}, 'method', { value: () => undefined })).not.toThrow();
  });
});

describe('decoratedMethods', () => {
  it('finds own and inherited methods, not those overridden without @Task()', () => {
    expect(decoratedMethods(FileTasks.prototype).map(({ name }) => name)).toEqual([
      'send',
      'archive',
      'wrapped',
      'inherited',
    ]);
    expect(decoratedMethods(BaseTasks.prototype).map(({ name }) => name)).toEqual(['inherited', 'overridden']);
  });

  it('finds nothing on what has no prototype', () => {
    expect(decoratedMethods(null)).toEqual([]);
    expect(decoratedMethods(Object.create(null) as object)).toEqual([]);
  });
});

describe('methodNames', () => {
  it('names every method without triggering getters', () => {
    expect(methodNames(FileTasks.prototype).toSorted()).toEqual([
      'archive',
      'inherited',
      'overridden',
      'plain',
      'send',
      'wrapped',
    ]);
  });
});
