import { CALL_OPTION_CHECKS } from '../contracts/call-options.js';
import { InvalidOptionsError, TasksError } from '../contracts/errors.js';
import type { ScheduleOptions } from '../contracts/schedule-options.js';
import type { TasksSettings } from '../contracts/settings.js';
import { TaskSignature } from '../contracts/signature.js';
import type { CallOptions } from '../contracts/task.js';
import type { TaskDefinition } from '../discovery/task-definition.js';
import { taskOptionsOf } from '../decorators/schedule-parts.js';
import type { ScheduleMetadata } from '../decorators/metadata.js';
import { compileRule } from './compile-rule.js';
import { planRules, type PlannedSchedule } from './planned-schedule.js';

/** What was declared, and all that is wrong with it. */
export interface DeclaredSchedules {
  schedules: readonly PlannedSchedule[];
  problems: readonly TasksError[];
}

/** Plans the schedules of all tasks. */
export function planDeclared(tasks: readonly TaskDefinition[], settings: TasksSettings): DeclaredSchedules {
  const found = new Map<string, { schedule: PlannedSchedule; where: string }>();
  const problems: TasksError[] = [];
  for (const task of tasks) {
    for (const declared of task.schedules ?? []) {
      const where = `${declared.decorator} on ${task.place}`;
      try {
        const schedule = plan(task, declared, settings, where);
        const earlier = found.get(schedule.name);
        if (earlier) throw duplicate(schedule.name, where, earlier.where);
        found.set(schedule.name, { schedule, where });
      } catch (error) {
        if (!(error instanceof TasksError)) throw error;
        problems.push(error);
      }
    }
  }
  return { schedules: [...found.values()].map(({ schedule }) => schedule), problems };
}

function plan(
  task: TaskDefinition,
  { when, options: given }: ScheduleMetadata,
  settings: TasksSettings,
  where: string,
): PlannedSchedule {
  // What is no object is refused with the options of the task.
  const options = typeof given === 'object' && given !== null ? given : {};
  const isInterval = 'every' in when;
  const rule = compileRule(isInterval ? when : { ...when, timeZone: options.timeZone }, where);
  const call = callOptionsOf(task, options);
  const name = options.name ?? task.name;
  const { runOnStart = false, disabled = false } = options;
  const rules = planRules(rule, options, settings.schedules, where);
  return {
    ...rules,
    name,
    task: task.name,
    queue: call.queue ?? task.contractOptions?.queue ?? task.options.queue ?? 'default',
    source: 'declared',
    // What was due while it was disabled is not missed.
    ruleText: disabled ? `${rules.ruleText}|disabled` : rules.ruleText,
    runOnStart,
    disabled,
    isInterval,
    signature: new TaskSignature(task.name, [], call, false),
  };
}

/** What the calls of a schedule are like where its task says something else, or nothing. */
function callOptionsOf(task: TaskDefinition, options: ScheduleOptions): CallOptions {
  const ofTask: Readonly<Record<string, unknown>> = { ...task.options };
  const own = Object.entries(taskOptionsOf(options)).filter(
    ([name, value]) => name in CALL_OPTION_CHECKS && typeof value !== 'function' && value !== ofTask[name],
  );
  return Object.fromEntries(own) as CallOptions;
}

function duplicate(name: string, where: string, earlier: string): InvalidOptionsError {
  return new InvalidOptionsError(
    `The schedule name '${name}' is claimed by ${earlier} and by ${where}. Give each schedule a name of its own: { name: '…' }.`,
  );
}
