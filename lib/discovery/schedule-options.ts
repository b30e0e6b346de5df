import { CALL_OPTION_CHECKS } from '../contracts/call-options.js';
import { checkOptions, collectInto, expectCount, expectThat, isText, type Check } from '../contracts/checks.js';
import { toMilliseconds, type Duration } from '../contracts/duration.js';
import { InvalidOptionsError, type TasksError } from '../contracts/errors.js';
import type { ScheduleMetadata } from '../decorators/metadata.js';
import { taskOptionsOf } from '../decorators/schedule-parts.js';
import { checkQueue, TASK_OPTION_CHECKS } from './task-options.js';

/** Longest name of a schedule, in characters: it is part of the ids of its jobs. */
const LONGEST_NAME = 200;

/** What a schedule says about its ticks, each with its check. */
export const SCHEDULE_RULE_CHECKS: Readonly<Record<string, Check>> = {
  timeZone: (value, where) => expectThat(isText(value), where, value, `an IANA name such as 'Europe/Paris'`),
  overlap: expectOneOf(['skip', 'queue', 'allow']),
  catchUp: expectOneOf(['none', 'last', 'all']),
  catchUpWindow: (value, where) => void toMilliseconds(value as Duration, where),
  jitter: (value, where) => void toMilliseconds(value as Duration, where),
  startAt: expectDate,
  endAt: expectDate,
  limit: expectCount,
};

/** The options of `@Cron()`, each with its check. */
const SCHEDULE_OPTION_CHECKS: Readonly<Record<string, Check>> = {
  ...TASK_OPTION_CHECKS,
  ...SCHEDULE_RULE_CHECKS,
  name: checkScheduleName,
  runOnStart: expectBoolean,
  disabled: expectBoolean,
};

/** Options of @nestjs/schedule's decorators, and what stands for them here. */
const OPTIONS_OF_NEST: Readonly<Record<string, string>> = {
  utcOffset: `A fixed offset is wrong for half of the year where clocks change. Give timeZone, such as 'Europe/Paris'`,
  waitForCompletion: `Give overlap: 'skip', which is the default and holds in the whole cluster`,
  unrefTimeout: 'Leave it out: the schedule ends with the application',
  threshold:
    'Leave it out: a worker that is late makes up the latest tick, and catchUp decides what follows a downtime',
  initialDelay: 'Give startAt for a later beginning, or delay for jobs that start after their tick',
};

/** Everything that is wrong with the options of the schedules of one method. */
export function findScheduleProblems(
  schedules: readonly ScheduleMetadata[],
  isImplied: boolean,
  place: string,
  queues: readonly string[],
): TasksError[] {
  const problems: TasksError[] = [];
  const collect = collectInto(problems);
  const isAlone = isImplied && schedules.length === 1;
  for (const { decorator, options } of schedules) {
    const where = `${decorator} on ${place}`;
    if (typeof options !== 'object' || options === null) {
      collect(() => checkOptions(options, SCHEDULE_OPTION_CHECKS, where));
      continue;
    }
    for (const [name, value] of Object.entries(options)) {
      collect(() => checkOption(name, value, decorator, where));
      if (!isAlone) collect(() => refuseOptionOfTask(name, value, where));
    }
    const { queue } = options;
    if (isText(queue)) collect(() => checkQueue(queue, where, queues));
  }
  return problems;
}

/** @throws InvalidOptionsError unless it can name a schedule */
export function checkScheduleName(value: unknown, where: string): void {
  const fits = isText(value) && value.length <= LONGEST_NAME && !value.includes('\n');
  expectThat(fits, where, value, `one line of text of 1 to ${LONGEST_NAME} characters`);
}

function checkOption(name: string, value: unknown, decorator: string, where: string): void {
  if (value === undefined) return;
  if (name in OPTIONS_OF_NEST) {
    throw new InvalidOptionsError(`${where} has '${name}', an option of @nestjs/schedule. ${OPTIONS_OF_NEST[name]}.`);
  }
  if (name === 'timeZone' && decorator === '@Interval()') {
    throw new InvalidOptionsError(`${where} has a timeZone. An interval knows no zone: leave it out, or use @Cron().`);
  }
  checkOptions({ [name]: value }, SCHEDULE_OPTION_CHECKS, where);
}

/** What is part of no call cannot be another thing for each of several schedules. */
function refuseOptionOfTask(name: string, value: unknown, where: string): void {
  const isOfTask = name in TASK_OPTION_CHECKS && name in taskOptionsOf({ [name]: value });
  if (!isOfTask || (name in CALL_OPTION_CHECKS && typeof value !== 'function')) return;
  throw new InvalidOptionsError(
    `${where} has ${name}, which holds for every job of the task, beside another decorator. Give it to @Task().`,
  );
}

function expectOneOf(known: readonly string[]): Check {
  const list = known.map((one) => `'${one}'`);
  const expected = `${list.slice(0, -1).join(', ')} or ${list.at(-1)}`;
  return (value, where) => expectThat(known.includes(value as string), where, value, expected);
}

function expectBoolean(value: unknown, where: string): void {
  expectThat(typeof value === 'boolean', where, value, 'true or false');
}

function expectDate(value: unknown, where: string): void {
  expectThat(value instanceof Date && !Number.isNaN(value.getTime()), where, value, 'a valid Date');
}
