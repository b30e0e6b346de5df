import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Cron,
  InvalidOptionsError,
  InvalidPayloadError,
  Task,
  task,
  TaskSchedules,
  TasksModule,
  UnknownQueueError,
  UnknownScheduleError,
  UnknownTaskError,
  type Signature,
} from '../../lib/index.js';
import { ENGINES } from '../support/engines.js';

@Injectable()
class Reports {
  @Cron('0 9 * * mon', { name: 'weekly', timeZone: 'Europe/Paris' }) weekly(): void {}
  @Cron('@daily', { name: 'off', disabled: true }) off(): void {}
  @Cron('@daily', { name: 'few', limit: 2 }) few(): void {}
  @Task({ queue: 'mail' }) write(_tenant: string): void {}
}

class Others {
  @Task() unknown(): void {}
}

const write = task(Reports).write;

describe.each(ENGINES)('TaskSchedules of a producer, on the %s engine', (_engine, optionsOf) => {
  let app: INestApplicationContext;
  let schedules: TaskSchedules;

  beforeEach(async () => {
    @Module({
      imports: [TasksModule.forRoot({ ...optionsOf(), queues: { mail: {} }, worker: false })],
      providers: [Reports],
    })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    schedules = app.get(TaskSchedules);
  });
  afterEach(() => app.close());

  const set = (fields: object): Promise<void> =>
    schedules.set({ name: 'tenant', every: '1h', signature: write('ada'), ...fields });

  it('lists what is declared and what is set, with its next tick', async () => {
    await set({ name: 'tenant:b' });
    await set({
      name: 'tenant:a',
      every: undefined,
      cron: { hour: 2 },
      timeZone: 'America/New_York',
      overlap: 'queue',
    });
    const list = await schedules.list();
    expect(list.map(({ name }) => name)).toEqual(['weekly', 'off', 'few', 'tenant:a', 'tenant:b']);
    expect(list[0]).toMatchObject({ source: 'declared', when: '0 9 * * mon', timeZone: 'Europe/Paris', missed: 0 });
    expect(list[0].nextTick!.getUTCDay()).toBe(1);
    expect(list[1]).toMatchObject({ disabled: true, nextTick: undefined });
    expect(list[2].left).toBe(2);
    expect(list[3]).toMatchObject({ source: 'set', when: '{"hour":2}', overlap: 'queue', task: 'Reports.write' });
    expect(list[4].nextTick!.getTime() % 3_600_000).toBe(0);
  });

  it('answers the next ticks', async () => {
    const [first, second] = await schedules.next('weekly', 2);
    expect(second.getTime() - first.getTime()).toBeGreaterThan(6 * 86_400_000);
    expect(await schedules.next('off')).toEqual([]);
    expect(await schedules.next('few', 5)).toHaveLength(2);
    await set({});
    expect(await schedules.next('tenant', 3)).toHaveLength(3);
    await expect(schedules.next('weekly', 0)).rejects.toThrow(/count is 0/);
  });

  it('knows the nearest name of one that it does not know', async () => {
    for (const act of [
      () => schedules.next('weakly'),
      () => schedules.trigger('weakly'),
      () => schedules.pause('weakly'),
      () => schedules.resume('weakly'),
    ]) {
      await expect(act()).rejects.toThrow(UnknownScheduleError);
      await expect(act()).rejects.toThrow(/no schedule is called 'weakly'\. Did you mean 'weekly'\?/);
    }
    expect(await schedules.remove('weakly')).toBe(false);
  });

  it('refuses to set or remove a declared one', async () => {
    await expect(set({ name: 'weekly' })).rejects.toThrow(/'weekly' is declared by a decorator/);
    await expect(schedules.remove('weekly')).rejects.toThrow(InvalidOptionsError);
  });

  it.each([
    ['no name', { name: '' }, /name is ''/],
    ['an unknown field', { evry: 1 }, /unknown option 'evry'/],
    ['both cron and every', { cron: '@daily' }, /both cron and every/],
    ['neither', { every: undefined }, /neither cron and every|neither cron nor every/],
    ['a wrong cron', { every: undefined, cron: '61 * * * *' }, /minute 61/],
    ['a wrong zone', { every: undefined, cron: '@daily', timeZone: 'Mars' }, /Mars/],
    ['a zone of an interval', { timeZone: 'UTC' }, /timeZone beside every/],
    ['no call', { signature: undefined }, /signature/],
    ['a job id', { signature: write('ada').with({ jobId: 'one' }) }, /'jobId', which belongs to one job/],
    ['an instant', { signature: write('ada').with({ at: new Date() }) }, /'at', which belongs to one job/],
    [
      'a key function',
      { signature: write('ada').with({ unique: { until: 'finished', key: () => 'a' } }) },
      /unique\.key/,
    ],
    ['an end before its start', { startAt: new Date(2), endAt: new Date(1) }, /endAt is before startAt/],
  ])('refuses a definition with %s', async (_, fields, message) => {
    await expect(set(fields)).rejects.toThrow(InvalidOptionsError);
    await expect(set(fields)).rejects.toThrow(message);
    expect(await schedules.next('tenant').catch((error: Error) => error)).toBeInstanceOf(UnknownScheduleError);
  });

  it('refuses a call that could not be enqueued', async () => {
    await expect(set({ signature: write(new Date() as never) })).rejects.toThrow(InvalidPayloadError);
    await expect(set({ signature: task(Others).unknown() as Signature<unknown> })).rejects.toThrow(UnknownTaskError);
    await expect(set({ signature: write('a').with({ queue: 'male' }) })).rejects.toThrow(UnknownQueueError);
  });

  it('keeps one schedule of a name, also when its jobs are of another queue now', async () => {
    await set({});
    await set({ signature: write('ada').with({ queue: 'default' }) });
    expect((await schedules.list()).filter(({ name }) => name === 'tenant')).toHaveLength(1);
    expect(await schedules.remove('tenant')).toBe(true);
    expect((await schedules.list()).filter(({ name }) => name === 'tenant')).toEqual([]);
  });

  it('keeps a pause when a schedule is set anew, and ends it with the schedule', async () => {
    await set({});
    await schedules.pause('tenant', 'quiet');
    await set({ every: '2h' });
    expect((await schedules.list()).at(-1)).toMatchObject({ when: '2h', paused: { reason: 'quiet' } });
    await schedules.remove('tenant');
    await set({});
    expect((await schedules.list()).at(-1)!.paused).toBeUndefined();
  });

  it('triggers a run that waits for a worker', async () => {
    const job = await schedules.trigger('weekly');
    expect(await job.info()).toMatchObject({ task: 'Reports.weekly', schedule: 'weekly', state: 'waiting' });
    expect((await job.info())!.tick).toBeUndefined();
  });
});
