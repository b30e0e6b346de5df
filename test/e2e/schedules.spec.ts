import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Cron,
  Ctx,
  Interval,
  Task,
  task,
  TaskContext,
  TaskEvents,
  TaskQueue,
  TaskSchedules,
  TasksModule,
  type TaskEvent,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { ENGINES } from '../support/engines.js';
import { redisUrl } from '../support/redis.js';

/** What a run saw of its schedule. */
interface Seen {
  id: string;
  tick?: number;
  previousTick?: number;
  missed?: number;
  name?: string;
  attempt: number;
}

function look({ jobId: id, tick, schedule, attempt }: TaskContext): Seen {
  return {
    id,
    tick: tick?.getTime(),
    previousTick: schedule?.previousTick?.getTime(),
    missed: schedule?.missed,
    name: schedule?.name,
    attempt,
  };
}

describe.each(ENGINES)('schedules on the %s engine', (_engine, optionsOf) => {
  let apps: INestApplicationContext[] = [];

  async function start(provider: Type, options: TasksModuleOptions = optionsOf(), extra: Type[] = []) {
    @Module({ imports: [TasksModule.forRoot(options)], providers: [provider, ...extra] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    apps.push(app);
    return app;
  }

  afterEach(async () => {
    await Promise.all(apps.map((app) => app.close()));
    apps = [];
  });

  it('run a method at each tick, which knows its schedule', async () => {
    const seen: Seen[] = [];
    @Injectable()
    class Reports {
      @Interval('250ms')
      report(@Ctx() context: TaskContext) {
        seen.push(look(context));
      }
    }
    const app = await start(Reports);
    await eventually(() => expect(seen.length).toBeGreaterThan(3));
    for (const [index, { tick, name, missed }] of seen.entries()) {
      expect([tick! % 250, name, missed]).toEqual([0, 'Reports.report', 0]);
      if (index > 0) expect(seen[index].previousTick).toBe(seen[index - 1].tick);
    }
    expect(new Set(seen.map(({ tick }) => tick)).size).toBe(seen.length);
    const info = await app.get(TaskQueue).job(seen[0].id).info();
    expect(info).toMatchObject({ schedule: 'Reports.report', tick: new Date(seen[0].tick!), task: 'Reports.report' });
  });

  it('keep their tick through retries', async () => {
    const seen: Seen[] = [];
    @Injectable()
    class Reports {
      @Cron('* * * * * *', { attempts: 2, backoff: '10ms', limit: 1 })
      report(@Ctx() context: TaskContext) {
        seen.push(look(context));
        if (context.attempt === 1) throw new Error('Not yet.');
      }
    }
    await start(Reports);
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(seen[1].tick).toBe(seen[0].tick);
  });

  it('stand beside @Task() and each other on one method, each with options of its own', async () => {
    const seen: string[] = [];
    @Injectable()
    class Reports {
      @Cron('* * * * * *', { name: 'often', limit: 1, tags: ['often'] })
      @Task({ name: 'report', retryOn: [TypeError] })
      @Interval('1s', { name: 'also', limit: 1, priority: 'high' })
      async report(@Ctx() context: TaskContext) {
        const info = await queue.job(context.jobId).info();
        seen.push([context.schedule?.name ?? 'call', info?.priority, ...(info?.tags ?? [])].join(' '));
      }
    }
    const app = await start(Reports);
    const queue = app.get(TaskQueue);
    await queue.enqueue(task(Reports).report());
    await eventually(() => expect(seen.toSorted()).toEqual(['also high', 'call normal', 'often normal often']));
    expect((await app.get(TaskSchedules).list()).map(({ name, task: of, left }) => [name, of, left])).toEqual([
      ['often', 'report', 0],
      ['also', 'report', 0],
    ]);
  });

  it('skip a tick while the last run goes on, and tell of it', async () => {
    const end = deferred();
    let runs = 0;
    @Injectable()
    class Reports {
      @Interval('100ms')
      async report() {
        runs++;
        await end.promise;
      }
    }
    const app = await start(Reports);
    const events: TaskEvent[] = [];
    app.get(TaskEvents).local$.subscribe((event) => events.push(event));
    await eventually(() => expect(events.length).toBeGreaterThan(1));
    expect(events[0]).toMatchObject({ name: 'skipped', schedule: 'Reports.report', task: 'Reports.report' });
    expect(events[0]).not.toHaveProperty('jobId');
    expect(runs).toBe(1);
    const [info] = await app.get(TaskSchedules).list();
    expect(info).toMatchObject({ lastState: 'active', missed: 0 });
    expect(info.skipped).toBeGreaterThan(0);
    end.resolve();
    await eventually(() => expect(runs).toBeGreaterThan(1));
  });

  it('run when a deploy begins, once for each', async () => {
    const seen: Seen[] = [];
    @Injectable()
    class Reports {
      @Cron('@yearly', { runOnStart: true })
      report(@Ctx() context: TaskContext) {
        seen.push(look(context));
      }
    }
    const options = { ...optionsOf(), deploy: 'blue' };
    await start(Reports, options);
    await eventually(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({ name: 'Reports.report', tick: undefined, missed: 0 });
    if (!options.redis) return;
    await start(Reports, options);
    await start(Reports, { ...options, deploy: 'green' });
    await eventually(() => expect(seen).toHaveLength(2));
  });

  it('make up the latest tick, once, when the process was blocked', async () => {
    const seen: Seen[] = [];
    @Injectable()
    class Reports {
      @Interval('200ms', { overlap: 'allow' })
      report(@Ctx() context: TaskContext) {
        seen.push(look(context));
      }
    }
    const app = await start(Reports);
    const events: TaskEvent[] = [];
    app.get(TaskEvents).local$.subscribe((event) => events.push(event));
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    const until = Date.now() + 1_300;
    while (Date.now() < until);
    await eventually(() => expect(events.some(({ name }) => name === 'caughtUp')).toBe(true));
    await eventually(() => expect(seen.some(({ missed }) => missed! > 0)).toBe(true));
    const late = seen.filter(({ missed }) => missed! > 0);
    expect(late).toHaveLength(1);
    expect(late[0].missed).toBeGreaterThanOrEqual(4);
    const [info] = await app.get(TaskSchedules).list();
    expect(info.missed).toBe(late[0].missed);
    expect(new Set(seen.map(({ tick }) => tick)).size).toBe(seen.length);
  });

  it('can be paused with a reason, triggered meanwhile, and resumed', async () => {
    const seen: Seen[] = [];
    @Injectable()
    class Reports {
      // Longer than a busy machine may keep the event loop from a tick, which would be missed then.
      @Interval('500ms')
      report(@Ctx() context: TaskContext) {
        seen.push(look(context));
      }
    }
    const app = await start(Reports);
    const schedules = app.get(TaskSchedules);
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    await schedules.pause('Reports.report', 'The bank is closed.');
    expect((await schedules.list())[0].paused).toMatchObject({
      reason: 'The bank is closed.',
      since: expect.any(Date),
    });
    const handle = await schedules.trigger('Reports.report');
    await handle.result({ timeout: '5s' });
    const triggered = seen.find(({ id }) => id === handle.id)!;
    expect(triggered).toMatchObject({ tick: undefined, name: 'Reports.report' });
    const runs = seen.length;
    const since = Date.now();
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(1_200));
    expect(seen.length).toBe(runs);
    await schedules.resume('Reports.report');
    await eventually(() => expect(seen.length).toBeGreaterThan(runs + 1));
    const [info] = await schedules.list();
    expect(info).toMatchObject({ missed: 0, skipped: 0 });
    expect(info.paused).toBeUndefined();
  });

  it('stay paused when a deploy gives them another queue, until they are resumed', async () => {
    const options = { ...optionsOf(), queues: { mail: {} }, worker: false };
    class Before {
      @Cron('@daily', { name: 'report' }) report(): void {}
    }
    class After {
      @Cron('@daily', { name: 'report', queue: 'mail' }) report(): void {}
    }
    const before = (await start(Before, options)).get(TaskSchedules);
    await before.pause('report', 'quiet');
    // Nothing of the embedded engine outlives its application.
    const after = options.redis ? (await start(After, options)).get(TaskSchedules) : before;
    expect((await after.list())[0].paused).toMatchObject({ reason: 'quiet' });
    await after.resume('report');
    for (const schedules of [before, after]) expect((await schedules.list())[0].paused).toBeUndefined();
  });

  it('are followed when they are set after Redis has lost the former ones', async () => {
    const options = optionsOf();
    const seen: string[] = [];
    class Reports {
      @Task() write(tenant: string) {
        seen.push(tenant);
      }
    }
    const schedules = (await start(Reports, options)).get(TaskSchedules);
    const set = (name: string) => schedules.set({ name, every: '100ms', signature: task(Reports).write(name) });
    await set('ada');
    await eventually(() => expect(seen).toContain('ada'));
    if (options.redis) {
      const redis = new Redis(redisUrl());
      const kept = ['schedules', 'schedules-changed', 'schedules-version', 'schedule:ada'];
      await redis.del(kept.map((key) => `${options.prefix}:default:${key}`));
      redis.disconnect();
    }
    await set('bob');
    await eventually(() => expect(seen).toContain('bob'), { timeout: 10_000 });
  });

  it('can be set at run time with arguments, changed and removed', async () => {
    const seen: string[] = [];
    @Injectable()
    class Reports {
      @Task()
      write(tenant: string, kind: string) {
        seen.push(`${tenant} ${kind}`);
      }
    }
    const app = await start(Reports);
    const schedules = app.get(TaskSchedules);
    await schedules.set({ name: 'ada', every: '100ms', signature: task(Reports).write('ada', 'daily') });
    await eventually(() => expect(seen).toContain('ada daily'));
    expect(await schedules.list()).toMatchObject([
      { name: 'ada', source: 'set', when: '100ms', task: 'Reports.write' },
    ]);
    await schedules.set({ name: 'ada', every: '100ms', signature: task(Reports).write('ada', 'weekly') });
    await eventually(() => expect(seen).toContain('ada weekly'));
    expect(await schedules.remove('ada')).toBe(true);
    expect(await schedules.remove('ada')).toBe(false);
    const runs = seen.length;
    const since = Date.now();
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(400));
    expect(seen.length).toBeLessThanOrEqual(runs + 1);
    expect(await schedules.list()).toEqual([]);
  });
});
