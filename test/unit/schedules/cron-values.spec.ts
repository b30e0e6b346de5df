import { describe, expect, it } from 'vitest';
import type { CronField, CronFields } from '../../../lib/contracts/schedule.js';
import { parseField } from '../../../lib/schedules/cron-field.js';
import { parseCron } from '../../../lib/schedules/cron-values.js';

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a field', () => {
  it.each([
    ['minute', '*', range(0, 59)],
    ['minute', '?', range(0, 59)],
    ['minute', 7, [7]],
    ['minute', '07', [7]],
    ['minute', '*/15', [0, 15, 30, 45]],
    ['minute', '5/15', [5, 20, 35, 50]],
    ['minute', '10-20/5', [10, 15, 20]],
    ['minute', '55-5/3', [1, 4, 55, 58]],
    ['minute', '30,1,30,2-3', [1, 2, 3, 30]],
    ['minute', '2-4/3,*/20', [0, 2, 20, 40]],
    ['minute', [5, '10-12', '50,51'], [5, 10, 11, 12, 50, 51]],
    ['hour', '22-2', [0, 1, 2, 22, 23]],
    ['hour', '9-9', [9]],
    ['hour', '*/24', [0]],
    ['day', '28-3', [1, 2, 3, 28, 29, 30, 31]],
    ['month', 'jan-mar', [1, 2, 3]],
    ['month', 'November-FEB', [1, 2, 11, 12]],
    ['month', 'april', [4]],
    ['month', '*/5', [1, 6, 11]],
    ['weekday', 'sun', [0]],
    ['weekday', 7, [0]],
    ['weekday', '0,7', [0]],
    ['weekday', 'fri-mon', [0, 1, 5, 6]],
    ['weekday', 'mon-fri', [1, 2, 3, 4, 5]],
    ['weekday', '5-7', [0, 5, 6]],
    ['weekday', '7-2', [0, 1, 2]],
    ['weekday', '6-0', [0, 6]],
    ['weekday', '0-7', range(0, 6)],
    ['weekday', 'sun-sat', range(0, 6)],
    ['weekday', '7/2', [0, 2, 4, 6]],
    ['weekday', ['monday', 'WED'], [1, 3]],
    ['weekday', 'tues,thurs', [2, 4]],
    ['month', 'sept', [9]],
  ] satisfies [keyof CronFields, CronField, number[]][])('%s %j lets %j through', (name, field, values) => {
    expect(parseField(name, field, 'cron').values).toEqual(values);
  });

  it.each([
    ['day', 'L', [], ['L']],
    ['day', '1,15w,lw', [1], ['15W', 'LW']],
    ['weekday', 'fri#2', [], ['5#2']],
    ['weekday', '7#1', [], ['0#1']],
    ['weekday', 'fridayL,1', [1], ['5L']],
    ['weekday', '5#l', [], ['5#L']],
  ] satisfies [keyof CronFields, CronField, number[], string[]][])(
    '%s %j lets %j and %j through',
    (name, field, values, modifiers) => {
      expect(parseField(name, field, 'cron')).toEqual({ values, modifiers, isAny: false });
    },
  );

  it('counts as any only where it is a star', () => {
    const isAny = (field: CronField): boolean => parseField('day', field, 'cron').isAny;
    expect(['*', '?', ['*']].map(isAny)).toEqual([true, true, true]);
    expect(['*/1', '1-31', '*,1'].map(isAny)).toEqual([false, false, false]);
  });

  it.each([
    ['hour', 25, 'cron: hour 25 is out of range 0-23.'],
    ['hour', '24', 'cron: hour 24 is out of range 0-23.'],
    ['hour', -1, 'cron: hour -1 is out of range 0-23.'],
    ['minute', '10-60', 'cron: minute 60 is out of range 0-59.'],
    ['month', 0, 'cron: month 0 is out of range 1-12.'],
    ['day', '32W', 'cron: day 32 is out of range 1-31.'],
    ['weekday', 8, 'cron: weekday 8 is out of range 0-7.'],
    ['weekday', '9#2', 'cron: weekday 9 is out of range 0-7.'],
    ['hour', '*/0', 'cron: hour step 0 is out of range 1-24.'],
    ['minute', '*/100', 'cron: minute step 100 is out of range 1-60.'],
    ['weekday', 'mondy', `cron: weekday 'mondy' is unknown. Did you mean 'monday'?`],
    ['weekday', 'mo', `cron: weekday 'mo' is unknown.`],
    ['month', 'sun', `cron: month 'sun' is unknown.`],
    ['hour', 'noon', `cron: hour 'noon' is unknown. Give numbers of the range 0-23.`],
    ['hour', 2.5, 'cron: hour 2.5 cannot be read. Give a number'],
    ['hour', NaN, 'cron: hour NaN cannot be read.'],
    ['hour', '', `cron: hour '' cannot be read.`],
    ['hour', '1,', `cron: hour '' cannot be read.`],
    ['hour', '1--2', `cron: hour '1--2' cannot be read.`],
    ['hour', '*-5', `cron: hour '*-5' cannot be read.`],
    ['hour', 'L', `cron: hour 'L' is unknown.`],
    ['day', '5L', `cron: day '5L' is unknown.`],
    ['day', 'W', `cron: day 'W' is unknown.`],
    ['weekday', 'fri#6', `cron: weekday 'fri#6' cannot be read. Give a number`],
    ['hour', [], 'cron: hour is an empty list.'],
    ['hour', null, 'cron: hour null cannot be read.'],
    ['hour', true, 'cron: hour true cannot be read.'],
    ['hour', {}, 'cron: hour Object cannot be read.'],
  ] as const)('%s %j is refused', (name, field, message) => {
    const read = (): unknown => parseField(name, field as CronField, 'cron');
    expect(read).toThrow(expect.objectContaining({ code: 'TASKS_INVALID_OPTIONS' }));
    expect(read).toThrow(message);
  });
});

describe('cron text', () => {
  it.each([
    ['', `cron '' has 0 fields. Give five (minute, hour, day of the month, month, weekday), or six`],
    ['* * *', 'has 3 fields'],
    ['0 0 0 * * * 2026', 'has 7 fields'],
    ['0 25 * * *', `cron '0 25 * * *': hour 25 is out of range 0-23.`],
    ['@dayly', `cron '@dayly' is an unknown name. Did you mean '@daily'?`],
    ['@reboot', 'is an unknown name.'],
    ['0 0 * * 1#2#3', 'cannot be read'],
  ])('%j is refused', (text, message) => {
    expect(() => parseCron(text, 'cron')).toThrow(message);
  });

  it.each([
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
    ['@monthly', '0 0 1 * *'],
    ['@weekly', '0 0 * * 0'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@hourly', '0 * * * *'],
    ['@Hourly', '0 0 * * * *'],
    ['  @daily ', '  0  0 * * *  '],
  ])('%j is %j', (nickname, text) => {
    expect(parseCron(nickname, 'cron')).toEqual(parseCron(text, 'cron'));
  });
});

describe('cron fields', () => {
  it.each([
    [{ month: 1 }, '0 0 0 1 1 *'],
    [{ month: 'jan', weekday: 'mon' }, '0 0 0 * 1 1'],
    [{ month: 6, minute: 5 }, '0 5 0 1 6 *'],
    [{ day: 15 }, '0 0 0 15 * *'],
    [{ day: 13, weekday: 'fri' }, '0 0 0 13 * 5'],
    [{ weekday: 'mon-fri' }, '0 0 0 * * 1-5'],
    [{ weekday: 1, hour: 9 }, '0 0 9 * * 1'],
    [{ hour: 2 }, '0 0 2 * * *'],
    [{ hour: 2, second: 30 }, '30 0 2 * * *'],
    [{ minute: [0, 30] }, '0 0,30 * * * *'],
    [{ minute: '*/5' }, '0 */5 * * * *'],
    [{ second: 10 }, '10 * * * * *'],
    [{ second: '*' }, '* * * * * *'],
    [{ hour: undefined, minute: 3 }, '0 3 * * * *'],
  ] satisfies [CronFields, string][])('%j is %j, with both days to fit', (fields, text) => {
    expect(parseCron(fields, 'cron')).toEqual({ ...parseCron(text, 'cron'), bothDays: true });
  });

  it.each([
    [{}, 'cron has no field. Give at least one, such as { hour: 2 }.'],
    [{ hour: undefined }, 'cron has no field.'],
    [{ hours: 2 }, `cron has an unknown field 'hours'. Did you mean 'hour'?`],
    [{ hour: 25 }, 'cron: hour 25 is out of range 0-23.'],
    [5, 'cron is 5. Give cron text'],
    [null, 'cron is null. Give cron text'],
    [['0 0 * * *'], 'cron is a list. Give cron text'],
  ])('%j is refused', (fields, message) => {
    expect(() => parseCron(fields as CronFields, 'cron')).toThrow(message);
  });
});
