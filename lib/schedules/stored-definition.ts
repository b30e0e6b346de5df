import { checkOptions, expectThat } from '../contracts/checks.js';
import type { Duration } from '../contracts/duration.js';
import { InvalidOptionsError, InvalidPayloadError } from '../contracts/errors.js';
import type { ScheduleDefinition, ScheduleRules } from '../contracts/schedule-options.js';
import type { CronFields } from '../contracts/schedule.js';
import type { ScheduleDefaults } from '../contracts/settings.js';
import { TaskSignature } from '../contracts/signature.js';
import type { EnqueueOptions } from '../contracts/task.js';
import { expectSignature } from '../client/call.js';
import { checkScheduleName, SCHEDULE_RULE_CHECKS } from '../discovery/schedule-options.js';
import { compileRule } from './compile-rule.js';
import { planRules, type PlannedSchedule } from './planned-schedule.js';

/** A definition as it is kept in the engine, as JSON. */
interface StoredDefinition extends Omit<ScheduleRules, 'startAt' | 'endAt'> {
  task: string;
  args: readonly unknown[];
  options: EnqueueOptions;
  cron?: string | CronFields;
  every?: Duration;
  timeZone?: string;
  /** Milliseconds since the epoch. */
  startAt?: number;
  endAt?: number;
}

const CHECKS: Parameters<typeof checkOptions>[1] = {
  ...SCHEDULE_RULE_CHECKS,
  name: checkScheduleName,
  signature: (value, where) => void expectSignature(value, where),
  // Read by the parser, whose messages say more.
  cron: () => undefined,
  every: () => undefined,
};

/**
 * Checks a definition.
 *
 * @throws InvalidOptionsError naming the field, the cause and the fix
 */
export function checkDefinition(definition: ScheduleDefinition): TaskSignature<unknown> {
  const where = 'set()';
  checkOptions(definition, CHECKS, where);
  checkScheduleName(definition.name, `${where}: name`);
  const signature = expectSignature(definition.signature, `${where}: signature`);
  const { options } = signature;
  for (const option of ['at', 'jobId'] as const) {
    if (options[option] === undefined) continue;
    throw new InvalidOptionsError(`${where}: the signature has '${option}', which belongs to one job. Leave it out.`);
  }
  expectThat(!(options.expires instanceof Date), `${where}: expires of the signature`, options.expires, 'a duration');
  expectThat(
    options.unique?.key === undefined,
    `${where}: unique.key of the signature`,
    options.unique?.key,
    'it to @Task()',
  );
  // What cannot be compiled is told here, and not when a worker reads it.
  planned(definition.name, toStored(definition, signature, 'default'), 0, PLAIN_DEFAULTS, where);
  return signature;
}

const PLAIN_DEFAULTS: ScheduleDefaults = { overlap: 'skip', catchUp: 'none', catchUpWindow: 0 };

/** @param queue of the jobs, whatever the task says when they are made */
export function writeDefinition(
  definition: ScheduleDefinition,
  signature: TaskSignature<unknown>,
  queue: string,
): string {
  return JSON.stringify(toStored(definition, signature, queue));
}

/**
 * Plans a schedule of its definition.
 *
 * @throws Error for what cannot be read
 */
export function readDefinition(
  name: string,
  text: string,
  version: number,
  defaults: ScheduleDefaults,
): PlannedSchedule {
  const stored = JSON.parse(text) as StoredDefinition;
  if (typeof stored.task !== 'string' || !Array.isArray(stored.args)) {
    throw new InvalidPayloadError(`The definition of schedule ${name} has no call of a task.`, []);
  }
  return planned(name, stored, version, defaults, `Schedule ${name}`);
}

function toStored(definition: ScheduleDefinition, signature: TaskSignature<unknown>, queue: string): StoredDefinition {
  const { name: _name, signature: _signature, startAt, endAt, ...rest } = definition;
  return {
    ...rest,
    ...(startAt && { startAt: startAt.getTime() }),
    ...(endAt && { endAt: endAt.getTime() }),
    task: signature.task,
    args: signature.args,
    options: { ...signature.options, queue },
  };
}

function planned(
  name: string,
  { task, args, options, cron, every, timeZone, startAt, endAt, ...rules }: StoredDefinition,
  version: number,
  defaults: ScheduleDefaults,
  where: string,
): PlannedSchedule {
  const time = {
    ...(cron !== undefined && { cron }),
    ...(every !== undefined && { every }),
    ...(timeZone !== undefined && { timeZone }),
  };
  const rule = compileRule(time as { every: Duration }, where);
  const bounds = { startAt: toDate(startAt), endAt: toDate(endAt) };
  return {
    ...planRules(rule, { ...rules, ...bounds }, defaults, where),
    ruleText: `v${version}`,
    name,
    task,
    queue: options.queue ?? 'default',
    source: 'set',
    runOnStart: false,
    disabled: false,
    version,
    isInterval: every !== undefined,
    // A worker that does not have the task leaves the job to others.
    signature: new TaskSignature(task, args, options, true),
  };
}

function toDate(instant: number | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}
