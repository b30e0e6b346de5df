import { Controller, Get, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { describe, expect, it, vi } from 'vitest';
import { task } from '../../../lib/client/task.js';
import { TaskContext } from '../../../lib/contracts/task-context.js';
import { Ctx } from '../../../lib/decorators/ctx.decorator.js';
import { Task } from '../../../lib/decorators/task.decorator.js';
import { context, explore } from './explore.js';

@Injectable()
class Sender {
  send(to: string): string {
    return `sent to ${to}`;
  }
}

abstract class BaseTasks {
  @Task({ attempts: 5 }) inherited(): string {
    return this.constructor.name;
  }
  abstract readonly kind: string;
}

@Injectable()
class MailTasks extends BaseTasks {
  readonly kind = 'mail';

  constructor(private readonly sender: Sender) {
    super();
  }

  @Task({ queue: 'mail' }) send(to: string): string {
    return this.sender.send(to);
  }
  @Task() traced(to: string, copies: number = 1, @Ctx() run?: TaskContext): unknown[] {
    return [to, copies, run];
  }
  @Task() all(...items: string[]): string[] {
    return items;
  }
  plain(): void {}
  get trap(): never {
    throw new Error('a getter was triggered');
  }
}

const mailTaskNames = ['MailTasks.send', 'MailTasks.traced', 'MailTasks.all', 'MailTasks.inherited'];

describe('TaskExplorer finds tasks of', () => {
  it.each([
    ['a class', MailTasks],
    ['useClass', { provide: 'MAIL', useClass: MailTasks }],
    ['useValue', { provide: 'MAIL', useValue: new MailTasks(new Sender()) }],
    ['useFactory', { provide: 'MAIL', useFactory: (sender: Sender) => new MailTasks(sender), inject: [Sender] }],
    ['an async useFactory', { provide: 'MAIL', useFactory: async () => new MailTasks(new Sender()) }],
  ])('a provider given as %s', async (_, provider) => {
    const found = await explore({ providers: [Sender, provider] });
    expect(found.names).toEqual(mailTaskNames);
    expect(found.problems).toEqual([]);
    expect(found.run('MailTasks.send', 'ada')).toBe('sent to ada');
    expect(found.run('MailTasks.inherited')).toBe('MailTasks');
  });

  it('a controller', async () => {
    @Controller()
    class MailController {
      @Task() @Get() send(): string {
        return 'sent';
      }
    }
    const found = await explore({ controllers: [MailController] });
    expect(found.run('MailController.send')).toBe('sent');
  });

  it('a module class', async () => {
    @Module({})
    class FeatureModule {
      @Task() cleanUp(): string {
        return 'clean';
      }
    }
    const found = await explore({ imports: [FeatureModule] });
    expect(found.run('FeatureModule.cleanUp')).toBe('clean');
  });

  it('an alias once', async () => {
    abstract class Mailer extends MailTasks {}
    const found = await explore({
      providers: [
        Sender,
        { provide: Mailer, useExisting: MailTasks },
        { provide: 'MAIL', useExisting: MailTasks },
        MailTasks,
      ],
    });
    expect(found).toMatchObject({ names: mailTaskNames, problems: [], warnings: [] });
  });

  it('one instance under several tokens once, named by its own class', async () => {
    const found = await explore({
      providers: [
        Sender,
        { provide: 'MAIL', useFactory: (mail: MailTasks) => mail, inject: [MailTasks] },
        { provide: BaseTasks, useFactory: (mail: MailTasks) => mail, inject: [MailTasks] },
        MailTasks,
      ],
    });
    expect(found).toMatchObject({ names: mailTaskNames, problems: [], warnings: [] });
  });

  it('every concrete class that inherits them', async () => {
    class SmsTasks extends BaseTasks {
      readonly kind = 'sms';
    }
    const found = await explore({ providers: [Sender, MailTasks, SmsTasks] });
    expect(found.names).toContain('SmsTasks.inherited');
    expect(found.run('SmsTasks.inherited')).toBe('SmsTasks');
    expect(found.run('MailTasks.inherited')).toBe('MailTasks');
  });

  it('nothing that is no object, and survives it', async () => {
    const values = [
      null,
      undefined,
      0,
      'text',
      Symbol('s'),
      () => 1,
      class {},
      Object.create(null),
      [],
      new Map(),
      new Proxy({}, {}),
    ];
    const providers = values.map((useValue: unknown, index) => ({ provide: `VALUE_${index}`, useValue }));
    expect(await explore({ providers })).toMatchObject({ tasks: [], problems: [], warnings: [] });
  });
});

describe('A task definition', () => {
  it('carries place, options and the options of its contract', async () => {
    const share = task<[file: string], void>('files.share', { queue: 'mail' });
    class FileTasks {
      @Task(share, { attempts: 2 }) share(_file: string): void {}
    }
    const { tasks } = await explore({ providers: [FileTasks] });
    expect(tasks).toMatchObject([
      { name: 'files.share', place: 'FileTasks.share', options: { attempts: 2 }, contractOptions: { queue: 'mail' } },
    ]);
  });

  it('passes as many arguments as the method takes, and the context in its place', async () => {
    const { run } = await explore({ providers: [Sender, MailTasks] });
    expect(run('MailTasks.traced', 'ada')).toEqual(['ada', 1, context]);
    expect(run('MailTasks.traced', 'ada', 2, 'more')).toEqual(['ada', 2, context]);
    expect(run('MailTasks.all', 'a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  });

  it('calls a static provider without an await of its own', async () => {
    const { run } = await explore({ providers: [Sender, MailTasks] });
    expect(run('MailTasks.send', 'ada')).not.toBeInstanceOf(Promise);
  });
});

describe('An overridden provider keeps its tasks', () => {
  it('as a mock without methods of its own class', async () => {
    const mock = { send: vi.fn(() => 'mocked'), traced: vi.fn() };
    const found = await explore({ providers: [Sender, MailTasks] }, (builder) =>
      builder.overrideProvider(MailTasks).useValue(mock),
    );
    expect(found.names).toEqual(['MailTasks.send', 'MailTasks.traced']);
    expect(found.run('MailTasks.send', 'ada', 'dropped')).toBe('mocked');
    expect(mock.send).toHaveBeenCalledWith('ada');
    found.run('MailTasks.traced', 'ada');
    expect(mock.traced).toHaveBeenCalledWith('ada', undefined, context);
    expect(found.tasks[0].options).toEqual({ queue: 'mail' });
  });

  it('as another class, decorated or not', async () => {
    class FakeMail extends BaseTasks {
      readonly kind = 'fake';
      send(to: string): string {
        return `faked ${to}`;
      }
      @Task() extra(): string {
        return 'extra';
      }
    }
    const found = await explore({ providers: [Sender, { provide: MailTasks, useClass: FakeMail }] });
    expect(found.names).toEqual(['MailTasks.send', 'MailTasks.inherited', 'FakeMail.extra']);
    expect(found.run('MailTasks.send', 'ada')).toBe('faked ada');
  });

  it('with one mock in the place of several classes', async () => {
    class SmsTasks {
      @Task() text(): void {}
    }
    const mock = { send: vi.fn(), text: vi.fn() };
    const found = await explore({ providers: [Sender, MailTasks, SmsTasks] }, (builder) =>
      builder.overrideProvider(MailTasks).useValue(mock).overrideProvider(SmsTasks).useValue(mock),
    );
    expect(found.names.toSorted()).toEqual(['MailTasks.send', 'SmsTasks.text']);
  });

  it('when a method is replaced after the boot', async () => {
    const tasks = new MailTasks(new Sender());
    const { run } = await explore({ providers: [{ provide: MailTasks, useValue: tasks }] });
    vi.spyOn(tasks, 'send').mockReturnValue('spied');
    expect(run('MailTasks.send', 'ada')).toBe('spied');
  });
});

describe('A provider that is made per run', () => {
  let made = 0;

  @Injectable({ scope: Scope.REQUEST })
  class Tenant {
    readonly id = (made += 1);
    constructor(@Inject(REQUEST) readonly request: unknown) {}
  }

  @Injectable()
  class TenantTasks {
    constructor(readonly tenant: Tenant) {}
    @Task() run(_name: string): unknown[] {
      return [this.tenant.id, this.tenant.request];
    }
  }

  @Injectable({ scope: Scope.TRANSIENT })
  class TransientTasks {
    private readonly id = (made += 1);
    @Task() run(): number {
      return this.id;
    }
  }

  it('has a DI sub-tree of its own each time, whose REQUEST is the context', async () => {
    made = 0;
    const { run, names } = await explore({ providers: [Tenant, TenantTasks] });
    expect(names).toEqual(['TenantTasks.run']);
    expect(made).toBe(0);
    expect(await run('TenantTasks.run', 'a')).toEqual([1, context]);
    expect(await run('TenantTasks.run', 'a')).toEqual([2, context]);
  });

  it('may be a controller', async () => {
    @Controller({ scope: Scope.REQUEST })
    class TenantController {
      @Inject(REQUEST) private readonly request!: unknown;
      @Task() run(): unknown {
        return this.request;
      }
    }
    const { run } = await explore({ controllers: [TenantController] });
    expect(await run('TenantController.run')).toBe(context);
  });

  it('may come from a factory', async () => {
    const { run } = await explore({
      providers: [
        {
          provide: TenantTasks,
          scope: Scope.REQUEST,
          useFactory: (request: unknown) => new TenantTasks(new Tenant(request)),
          inject: [REQUEST],
        },
      ],
    });
    expect(await run('TenantTasks.run')).toEqual([expect.any(Number), context]);
  });

  it('may be transient', async () => {
    const { run } = await explore({ providers: [TransientTasks] });
    expect(await run('TransientTasks.run')).not.toBe(await run('TransientTasks.run'));
  });

  it('rejects the run when it cannot be made', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class BrokenTasks {
      constructor() {
        throw new Error('no tenant');
      }
      @Task() run(): void {}
    }
    const { run } = await explore({ providers: [BrokenTasks] });
    await expect(run('BrokenTasks.run')).rejects.toThrow('no tenant');
  });
});

describe('With 1,000 tasks', () => {
  it('takes less than 50 ms', async () => {
    const classes = Array.from({ length: 100 }, (_, index) => {
      const Tasks = { [`Tasks${index}`]: class {} }[`Tasks${index}`];
      for (let method = 0; method < 10; method += 1) {
        const value = function (_first: unknown, _second: unknown) {};
        Object.defineProperty(Tasks.prototype, `run${method}`, { value });
        Task({ queue: 'mail' })(Tasks.prototype, `run${method}`, { value });
      }
      return Tasks;
    });
    const plain = Array.from({ length: 1_000 }, () => ({ provide: class {}, useValue: {} }));
    const { again } = await explore({ providers: [...classes, ...plain] });
    const durations = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(again().tasks).toHaveLength(1_000);
      return performance.now() - start;
    });
    // The best of a few, because the machine runs other tests at the same time.
    expect(Math.min(...durations)).toBeLessThan(50);
  });
});
