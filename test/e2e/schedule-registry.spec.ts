import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Interval as NestInterval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, describe, expect, it } from 'vitest';
import { Cron, Interval, TasksModule } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';

let ours = 0;
let beats = 0;
let theirs = 0;

@Injectable()
class Reports {
  @Cron('* * * * * *', { name: 'each', timeZone: 'Europe/Paris', overlap: 'allow' }) each(): void {
    ours++;
  }
  @Interval('100ms', { name: 'beat', overlap: 'allow' }) beat(): void {
    beats++;
  }
  @NestInterval('theirs', 50) often(): void {
    theirs++;
  }
}

describe('the SchedulerRegistry', () => {
  let app: INestApplicationContext;

  async function start(withModule: boolean): Promise<SchedulerRegistry | undefined> {
    const imports = [TasksModule.forRoot(), ...(withModule ? [ScheduleModule.forRoot()] : [])];
    @Module({ imports, providers: [Reports] })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    return withModule ? app.get(SchedulerRegistry, { strict: false }) : undefined;
  }

  afterEach(() => app.close());

  it('shows what this process ticks, with its next dates', async () => {
    const registry = (await start(true))!;
    expect([...registry.getCronJobs().keys()]).toEqual(['each']);
    expect(registry.getIntervals()).toEqual(expect.arrayContaining(['theirs', 'beat']));
    const job = registry.getCronJob('each');
    expect(job.isActive).toBe(true);
    expect(job.cronTime.source).toBe('* * * * * *');
    const next = job.nextDate().toJSDate();
    expect(next.getTime() % 1_000).toBe(0);
    expect(next.getTime() - Date.now()).toBeLessThanOrEqual(1_000);
    expect(job.nextDates(2).map((date) => date.toMillis())).toEqual([next.getTime(), next.getTime() + 1_000]);
    await eventually(() => expect(ours).toBeGreaterThan(0));
    await eventually(() => expect(job.lastDate()).toBeInstanceOf(Date));
  });

  it('stops and starts a schedule in this process, and fires it', async () => {
    const registry = (await start(true))!;
    await eventually(() => expect(theirs).toBeGreaterThan(0));
    const job = registry.getCronJob('each');
    void job.stop();
    expect(job.isActive).toBe(false);
    const before = ours;
    const since = Date.now();
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(1_300));
    expect(ours).toBeLessThanOrEqual(before + 1);
    const quiet = ours;
    await job.fireOnTick();
    await eventually(() => expect(ours).toBe(quiet + 1));
    job.start();
    await eventually(() => expect(ours).toBeGreaterThan(quiet + 1));
  });

  it('stops an interval that is deleted', async () => {
    const registry = (await start(true))!;
    await eventually(() => expect(beats).toBeGreaterThan(0));
    registry.deleteInterval('beat');
    expect(registry.getIntervals()).not.toContain('beat');
    const since = Date.now();
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(150));
    const before = beats;
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(600));
    expect(beats).toBe(before);
  });

  it('need not be there', async () => {
    expect(await start(false)).toBeUndefined();
    const before = beats;
    await eventually(() => expect(beats).toBeGreaterThan(before));
  });

  it('is emptied before the end', async () => {
    const registry = (await start(true))!;
    await app.close();
    expect(registry.getCronJobs().size).toBe(0);
    expect(registry.getIntervals()).toEqual([]);
  });
});
