import { Logger, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron as NestCron, Interval as NestInterval } from '@nestjs/schedule';
import { describe, expect, it, vi } from 'vitest';
import {
  Cron,
  Interval,
  Task,
  TasksConfigurationError,
  TasksModule,
  type ScheduleOptions,
} from '../../../lib/index.js';

/** Everything that is told at boot. */
async function boot(...providers: Type[]): Promise<{ problems: string[]; warnings: string[] }> {
  const warnings: string[] = [];
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation((line: string) => void warnings.push(line));
  @Module({ imports: [TasksModule.forRoot({ worker: false })], providers })
  class AppModule {}
  try {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await app.close();
    return { problems: [], warnings };
  } catch (error) {
    expect(error).toBeInstanceOf(TasksConfigurationError);
    return { problems: (error as TasksConfigurationError).problems.map(({ message }) => message), warnings };
  } finally {
    warn.mockRestore();
  }
}

function cron(when: unknown, options: unknown = {}): Type {
  class Reports {
    @Cron(when as string, options as ScheduleOptions) daily(): void {}
  }
  return Reports;
}

describe('a schedule at boot', () => {
  it.each([
    ['an empty text', '', {}, /@Cron\(\) on Reports\.daily/],
    ['three fields', '* * *', {}, /@Cron\(\) on Reports\.daily/],
    ['hour 25', '0 25 * * *', {}, /hour 25 is out of range 0-23/],
    ['30 February', '0 0 30 2 *', {}, /would never be due/],
    ['no fields', {}, {}, /@Cron\(\) on Reports\.daily/],
    ['an unknown zone', '@daily', { timeZone: 'Europe/Pariss' }, /Europe\/Pariss/],
    [
      'timeZone with utcOffset',
      '@daily',
      { timeZone: 'UTC', utcOffset: 60 },
      /'utcOffset', an option of @nestjs\/schedule.*Give timeZone/,
    ],
    ['an unknown option', '@daily', { overlaps: 'skip' }, /unknown option 'overlaps'\. Did you mean 'overlap'\?/],
    ['an unknown overlap', '@daily', { overlap: 'wait' }, /overlap is 'wait'\. Give 'skip', 'queue' or 'allow'/],
    ['an unknown catchUp', '@daily', { catchUp: true }, /catchUp is true\. Give 'none', 'last' or 'all'/],
    ['a wrong window', '@daily', { catchUpWindow: 'long' }, /catchUpWindow is 'long'/],
    ['a limit of 0', '@daily', { limit: 0 }, /limit is 0\. Give a whole number from 1 up/],
    ['an end before its start', '@daily', { startAt: new Date(2), endAt: new Date(1) }, /endAt is before startAt/],
    ['a wrong option of its task', '@daily', { attempts: 0 }, /attempts is 0/],
    ['an undeclared queue', '@daily', { queue: 'male' }, /queue 'male', which is not declared/],
    ['null for its options', '@daily', null, /@Cron\(\) on Reports\.daily/],
    ['a name of two lines', '@daily', { name: 'a\nb' }, /name is/],
  ])('is refused with %s', async (_, when, options, message) => {
    const { problems } = await boot(cron(when, options));
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it('is refused with an interval of 0, and a zone of an interval', async () => {
    class Reports {
      @Interval(0) never(): void {}
      @Interval('1s', { timeZone: 'UTC' } as object) zoned(): void {}
    }
    const { problems } = await boot(Reports);
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).toMatch(/timeZone. An interval knows no zone/);
  });

  it('tells all problems at once, with those of other tasks', async () => {
    class Reports {
      @Cron('never', { limit: -1 }) daily(): void {}
      @Task({ attempts: 0 }) other(): void {}
    }
    expect((await boot(Reports)).problems).toHaveLength(3);
  });

  it('needs a name of its own', async () => {
    class Reports {
      @Cron('@daily') @Interval('1s') report(): void {}
      @Interval('2s', { name: 'Reports.report' }) other(): void {}
    }
    const { problems } = await boot(Reports);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/'Reports\.report' is claimed by @Cron\(\) on Reports\.report and by @Interval\(\) on/);
  });

  it('leaves to @Task() what holds for every job, where one stands beside it', async () => {
    class Reports {
      @Task() @Cron('@daily', { name: 'a', retryOn: [TypeError], attempts: 2 }) one(): void {}
      @Cron('@daily', { name: 'b', keepFailed: '1h' }) @Interval('1s', { name: 'c' }) two(): void {}
      @Cron('@daily', { name: 'd', keepFailed: '1h' }) alone(): void {}
    }
    const { problems } = await boot(Reports);
    expect(problems).toEqual([
      expect.stringMatching(/^@Cron\(\) on Reports\.one has retryOn, .* Give it to @Task\(\)\.$/),
      expect.stringMatching(/^@Cron\(\) on Reports\.two has keepFailed/),
    ]);
  });

  it('warns of a method that takes an argument', async () => {
    class Reports {
      @Cron('@daily') fine(_day = 'today'): void {}
      @Cron('@daily') wrong(_day?: string): void {}
    }
    const { problems, warnings } = await boot(Reports);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/@Cron\(\) on Reports\.wrong runs it without arguments/)]);
  });

  it("warns of @nestjs/schedule's own decorators", async () => {
    class Reports {
      @NestCron('0 0 * * *') daily(): void {}
      @NestInterval(1_000_000) often(): void {}
    }
    const { warnings } = await boot(Reports);
    expect(warnings).toEqual([
      expect.stringMatching(/Reports\.daily carries @Cron\(\) of @nestjs\/schedule, which fires in every process/),
      expect.stringMatching(/Reports\.often carries @Interval\(\) of @nestjs\/schedule/),
    ]);
  });
});
