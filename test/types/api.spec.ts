import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { BulkOptions, JobFilter } from '../../lib/client/job-filter.js';
import type { JobHandle } from '../../lib/client/job-handle.js';
import { task } from '../../lib/client/task.js';
import type { TaskHealth, TaskReadiness } from '../../lib/client/task-health.js';
import type { JobList, TaskAdmin } from '../../lib/client/task-admin.js';
import type { TaskQueue } from '../../lib/client/task-queue.js';
import type { FailedJob, JobInfo, JobState, Priority, WaitingFor } from '../../lib/contracts/job.js';
import type { Json, Signature, TaskRef } from '../../lib/contracts/signature.js';
import type { TaskOptions } from '../../lib/contracts/task-options.js';
import type { EnqueueOptions } from '../../lib/contracts/task.js';
import { TaskContext } from '../../lib/contracts/task-context.js';
import type { ScheduleDefinition, ScheduleInfo } from '../../lib/contracts/schedule-options.js';
import { Ctx } from '../../lib/decorators/ctx.decorator.js';
import { Cron, Interval } from '../../lib/decorators/schedule.decorator.js';
import { Task } from '../../lib/decorators/task.decorator.js';
import type { TaskSchedules } from '../../lib/schedules/task-schedules.js';

interface Mail {
  to: string;
  subject: string;
}
interface Receipt {
  id: string;
}

const archive = task<[mail: Mail], Receipt>('mail.archive', { queue: 'mail', metadata: { from: 'web' } });
const resizeAt = task<[file: string, width?: number], string>('files.resize');

class MailTasks {
  readonly address = 'mail';

  @Task({ queue: 'mail', attempts: 3, backoff: { type: 'exponential', delay: '60s', jitter: 0.2 }, timeout: '5m' })
  async sendEmail(mail: Mail, @Ctx() _context: TaskContext): Promise<Receipt> {
    return { id: mail.to };
  }
  @Task(archive) async archive(mail: Mail): Promise<Receipt> {
    return { id: mail.to };
  }
  @Task(archive, { attempts: 5 }) archiveNow(mail: Mail, @Ctx() _context: TaskContext): Receipt {
    return { id: mail.to };
  }
  @Task(archive) async archiveBlindly(): Promise<Receipt> {
    return { id: '' };
  }
  @Task(resizeAt) resizeAt(file: string, width?: number): string {
    return `${file}-${width}`;
  }
  @Task() count(receipts: Receipt[]): number {
    return receipts.length;
  }
  @Task() resize(file: string, width: number, height?: number): Promise<string> {
    return Promise.resolve(`${file}-${width}x${height}`);
  }
  @Task() traced(file: string, width?: number, @Ctx() _context?: TaskContext): string {
    return `${file}${width}`;
  }
  @Task() list(): string[] {
    return [];
  }
  @Task() gather(..._files: string[]): void {}
  @Task() async dated(): Promise<{ at: Date; log: () => void }> {
    return { at: new Date(), log: () => undefined };
  }
  // eslint-disable-next-line typescript/no-explicit-any -- what users write
  @Task() anything(_payload: any): void {}
  @Task() never(): never {
    throw new Error('no result');
  }

  // @ts-expect-error the contract returns a Receipt
  @Task(archive) async wrong(mail: Mail): Promise<number> {
    return mail.to.length;
  }
  // @ts-expect-error the contract passes a Mail
  @Task(archive) async number(_mail: number): Promise<Receipt> {
    return { id: '' };
  }
  // @ts-expect-error the contract passes one argument, then the context
  @Task(archive) async more(_mail: Mail, _copies: number): Promise<Receipt> {
    return { id: '' };
  }
  // @ts-expect-error the contract has the name already
  @Task(archive, { name: 'mail.other' }) async named(_mail: Mail): Promise<Receipt> {
    return { id: '' };
  }
  // @ts-expect-error no option of this name
  @Task({ atempts: 3 }) misspelled(): void {}
  // @ts-expect-error no duration
  @Task({ timeout: 'soon' }) soon(): void {}
  // @ts-expect-error an id belongs to one call
  @Task({ jobId: 'one' }) single(): void {}
}

class SteeredTasks {
  @Task({
    priority: 'high',
    expires: '1h',
    unique: { key: (mail: Mail) => mail.to, until: 'finished', onConflict: 'replace' },
    tags: ['mail'],
    concurrency: { max: 2, key: (mail: Mail) => mail.to },
    rateLimit: { max: 10, per: '1s' },
    onFailed: (failure: FailedJob) => archive({ to: failure.id, subject: failure.error.message }),
  })
  send(_mail: Mail): void {}

  // @ts-expect-error no such priority
  @Task({ priority: 'urgent' }) urgent(): void {}
  // @ts-expect-error a unique job has to say until when
  @Task({ unique: {} }) unique(): void {}
  // @ts-expect-error no such way out of a conflict
  @Task({ unique: { until: 'started', onConflict: 'throw' } }) conflicting(): void {}
  // @ts-expect-error a limit has a maximum
  @Task({ concurrency: {} }) limited(): void {}
  // @ts-expect-error a rate is a number of starts per time
  @Task({ rateLimit: { max: 1 } }) rated(): void {}
  // @ts-expect-error a key is text
  @Task({ concurrency: { max: 1, key: (id: number) => id } }) keyed(_id: number): void {}
  // @ts-expect-error it answers a call
  @Task({ onFailed: () => 'alert' }) followed(): void {}
  @Task({ isolate: 'thread' }) isolated(): void {}
  // @ts-expect-error threads are the one way to isolate a task
  @Task({ isolate: 'process' }) elsewhere(): void {}
}

declare const queue: TaskQueue;
declare const admin: TaskAdmin;
const mail = task(MailTasks);

/** Type-checked by `tsc -p .`; nothing in here is run. */
function typesOnly(_work: () => unknown): void {}

const checkedMail = z.object({ to: z.string(), subject: z.string() });
const sendChecked = task<[mail: Mail], Receipt>('mail.checked', { schema: checkedMail, queue: 'mail' });

class CheckedTasks {
  @Task({ schema: checkedMail }) send(_mail: Mail): void {}
  @Task(sendChecked) sendChecked(mail: Mail): Receipt {
    return { id: mail.to };
  }
  // @ts-expect-error no schema
  @Task({ schema: { parse: () => 1 } }) parsed(_mail: Mail): void {}
}

describe('The types of the API', () => {
  it('infer arguments and result from the method', () => {
    expectTypeOf(mail.count).toEqualTypeOf<TaskRef<[receipts: Receipt[]], number>>();
    expectTypeOf(mail.resize).parameters.toEqualTypeOf<[file: string, width: number, height?: number]>();
    expectTypeOf(mail.resize).returns.toEqualTypeOf<Signature<string>>();
    expectTypeOf(mail.gather).parameters.toEqualTypeOf<string[]>();
    expectTypeOf(mail.list).parameters.toEqualTypeOf<[]>();
    expectTypeOf(mail.never).returns.toEqualTypeOf<Signature<never>>();
    expectTypeOf(mail.anything).parameter(0).toBeAny();
  });

  it('take arguments as the method does', () => {
    typesOnly(() => mail.resize('f', 1));
    typesOnly(() => mail.resize('f', 1, 2));
    typesOnly(() => mail.anything({ whatever: true }));
    typesOnly(() => ['a', 'b'].map((file) => mail.resize(file, 1)));
    typesOnly(() => [{ to: '', subject: '' }].map(mail.archive));
    // @ts-expect-error a number is no mail
    typesOnly(() => mail.sendEmail(3));
    // @ts-expect-error a width is missing
    typesOnly(() => mail.resize('f'));
    // @ts-expect-error there are no more parameters
    typesOnly(() => mail.list(1));
  });

  it('follow the method also where it has a schema', () => {
    expectTypeOf(task(CheckedTasks).send).toEqualTypeOf<TaskRef<[mail: Mail], void>>();
    expectTypeOf(sendChecked).toEqualTypeOf<TaskRef<[mail: Mail], Receipt>>();
    // @ts-expect-error a number is no mail
    typesOnly(() => sendChecked(3));
    // @ts-expect-error a schema belongs to the task
    typesOnly(() => sendChecked({ to: '', subject: '' }).with({ schema: checkedMail }));
  });

  it('leave the context out of the call', () => {
    expectTypeOf(mail.sendEmail).parameters.toEqualTypeOf<[mail: Mail]>();
    expectTypeOf(mail.traced).parameters.toEqualTypeOf<[file: string, width?: number | undefined]>();
    // @ts-expect-error the context is not part of the call
    typesOnly(() => mail.sendEmail({ to: '', subject: '' }, TaskContext.current()));
  });

  it('offer methods only', () => {
    typesOnly(() => {
      class FieldTasks {
        // @ts-expect-error a task is a method
        @Task() field = () => 1;
      }
      return FieldTasks;
    });
    // @ts-expect-error not a method of the class
    typesOnly(() => mail.nothing);
    // @ts-expect-error a property is no task
    typesOnly(() => mail.address);
  });

  it('take contracts as tasks', () => {
    expectTypeOf(archive).toEqualTypeOf<TaskRef<[mail: Mail], Receipt>>();
    // @ts-expect-error a number is no mail
    typesOnly(() => archive(3));
    // @ts-expect-error an id belongs to one call
    typesOnly(() => task<[], void>('x', { jobId: 'one' }));
    // @ts-expect-error no option of this name
    typesOnly(() => task<[], void>('x', { atempts: 1 }));
  });

  it('give handles and results of the task', () => {
    const sent = () => queue.enqueue(mail.sendEmail({ to: 'a', subject: 'b' }), { delay: '5s' });
    expectTypeOf(sent).returns.resolves.toEqualTypeOf<JobHandle<Receipt>>();
    typesOnly(async () => {
      const job = await sent();
      const receipt: Receipt = await job.result({ timeout: '30s' });
      const info: JobInfo<Receipt> | undefined = await job.info();
      return { receipt, info };
    });
    expectTypeOf(() => queue.job<Receipt>('one')).returns.toEqualTypeOf<JobHandle<Receipt>>();
    // @ts-expect-error a task is no call
    typesOnly(() => queue.enqueue(mail.list));
    // @ts-expect-error a promise is no call
    typesOnly(() => queue.enqueue(Promise.resolve(mail.list())));
    // @ts-expect-error no option of this name
    typesOnly(() => queue.enqueue(mail.list(), { atempts: 3 }));
    // @ts-expect-error the result is a number
    typesOnly(async () => (await queue.enqueue(mail.count([]))).result() satisfies Promise<string>);
  });

  it('tell what JSON makes of a result', () => {
    typesOnly(async () => {
      const dated = await (await queue.enqueue(mail.dated())).result();
      expectTypeOf(dated).toEqualTypeOf<{ at: string }>();
    });
    expectTypeOf<Json<Date>>().toEqualTypeOf<string>();
    expectTypeOf<Json<[Date, number]>>().toEqualTypeOf<[string, number]>();
    expectTypeOf<Json<readonly Date[]>>().toEqualTypeOf<string[]>();
    expectTypeOf<Json<void>>().toEqualTypeOf<void>();
    expectTypeOf<Json<Date | undefined>>().toEqualTypeOf<string | undefined>();
  });

  it('give each call of a list its own handle', () => {
    const many = () => queue.enqueueMany([mail.resize('a', 1), mail.count([])], { delay: '5s' });
    expectTypeOf(many).returns.resolves.toEqualTypeOf<[JobHandle<string>, JobHandle<number>]>();
    const list = (files: string[]) => queue.enqueueMany(files.map((file) => mail.resize(file, 1)));
    expectTypeOf(list).returns.resolves.toEqualTypeOf<JobHandle<string>[]>();
    typesOnly(async () => {
      const jobs = await many();
      const count: number = await jobs[1].result();
      // @ts-expect-error only two were enqueued
      return [count, jobs[2]];
    });
    // @ts-expect-error one id cannot name several jobs
    typesOnly(() => queue.enqueueMany([mail.list()], { jobId: 'one' }));
  });

  it('offer what steers jobs', () => {
    const call = task(SteeredTasks).send({ to: '', subject: '' });
    typesOnly(() =>
      queue.enqueue(call, { priority: 'low', expires: new Date(), tags: ['a'], unique: { until: '5m' } }),
    );
    // @ts-expect-error limits belong to the task
    typesOnly(() => queue.enqueue(call, { concurrency: { max: 1 } }));
    // @ts-expect-error what follows a failure belongs to the task
    typesOnly(() => call.with({ onFailed: () => call }));
    expectTypeOf<'concurrency' | 'rateLimit' | 'onFailed' | 'isolate'>().toExtend<keyof TaskOptions>();
    expectTypeOf<JobInfo['priority']>().toEqualTypeOf<Priority>();
    expectTypeOf<JobInfo['tags']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<JobInfo['waitingFor']>().toEqualTypeOf<WaitingFor | undefined>();
  });

  it('cancel and start afresh one job or many', () => {
    expectTypeOf(() => queue.job('one').cancel()).returns.resolves.toEqualTypeOf<boolean>();
    expectTypeOf(() => queue.job('one').retry()).returns.resolves.toEqualTypeOf<boolean>();
    expectTypeOf(() => queue.cancel({ tag: 'a' })).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf<ReturnType<TaskHealth['ready']>>().toEqualTypeOf<Promise<TaskReadiness>>();
    expectTypeOf<TaskReadiness>().toEqualTypeOf<{ ready: boolean; problems: readonly string[] }>();
    expectTypeOf<Parameters<TaskQueue['cancel']>>().toEqualTypeOf<[filter: JobFilter]>();
    expectTypeOf<Parameters<TaskAdmin['retry']>>().toEqualTypeOf<[what: string | JobFilter, options?: BulkOptions]>();
    expectTypeOf(() => admin.remove('one')).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf(() => admin.move('one', 'mail')).returns.resolves.toEqualTypeOf<number>();
    type Counts = Record<Exclude<JobState, 'unknown'>, number>;
    expectTypeOf(() => admin.counts()).returns.resolves.toEqualTypeOf<Counts>();
    expectTypeOf(() => admin.list()).returns.resolves.toEqualTypeOf<JobList>();
    typesOnly(() => admin.list({ state: 'failed', args: { to: 'ada' }, limit: 10, cursor: '…' }));
    // @ts-expect-error no field of this name
    typesOnly(() => queue.cancel({ tags: ['a'] }));
    // @ts-expect-error where to is missing
    typesOnly(() => admin.move({ state: 'failed' }));
  });

  it('keep the type of a signature with more options', () => {
    expectTypeOf(() => mail.list().with({ delay: '5s' })).returns.toEqualTypeOf<Signature<string[]>>();
    expectTypeOf<'at' | 'jobId'>().toExtend<keyof EnqueueOptions>();
    // @ts-expect-error a signature is no thenable
    typesOnly(() => mail.list().then);
  });

  it('let only methods without arguments be scheduled', () => {
    class Reports {
      @Cron({ weekday: 'mon-fri', hour: [9, 14] }, { timeZone: 'Europe/Paris', overlap: 'queue', catchUp: 'last' })
      report(@Ctx() _context: TaskContext): void {}
      @Interval('1h', { name: 'other', jitter: '5m' })
      optional(_day?: string): Promise<number> {
        return Promise.resolve(1);
      }
      // @ts-expect-error nobody gives the argument
      @Cron('@daily')
      wrong(_day: string): void {}
      // @ts-expect-error an interval knows no zone
      @Interval('1h', { timeZone: 'UTC' })
      zoned(): void {}
    }
    expectTypeOf<TaskContext['tick']>().toEqualTypeOf<Date | undefined>();
    expectTypeOf<JobInfo['tick']>().toEqualTypeOf<Date | undefined>();
    expectTypeOf<ReturnType<TaskSchedules['list']>>().resolves.toEqualTypeOf<readonly ScheduleInfo[]>();
    expectTypeOf<{ name: string; every: '1s'; signature: Signature<number> }>().toExtend<ScheduleDefinition>();
    expectTypeOf<{ name: string; signature: Signature<number> }>().not.toExtend<ScheduleDefinition>();
    expectTypeOf(task(Reports).report).toBeCallableWith();
  });
});
