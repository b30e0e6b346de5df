import { EngineJobHandle, type JobHandle } from '../client/job-handle.js';
import { newJob } from '../client/new-job.js';
import { expectThat, isText } from '../contracts/checks.js';
import type { Clock } from '../contracts/clock.js';
import type { SchedulePause, ScheduleState } from '../contracts/engine-schedules.js';
import type { Engine } from '../contracts/engine.js';
import { InvalidOptionsError, UnknownScheduleError } from '../contracts/errors.js';
import type { ScheduleDefinition, ScheduleInfo } from '../contracts/schedule-options.js';
import type { TasksSettings } from '../contracts/settings.js';
import { suggest } from '../contracts/suggestion.js';
import type { TaskRegistry } from '../discovery/task-definition.js';
import type { PlannedSchedule } from './planned-schedule.js';
import { toScheduleInfo } from './schedule-info.js';
import { checkDefinition, readDefinition, writeDefinition } from './stored-definition.js';
import { SetSchedules } from './set-schedules.js';
import { TickJobs } from './tick-jobs.js';

/** Most ticks that `next()` answers. */
const MOST_TICKS = 10_000;

/**
 * Looks at schedules, declared ones and those that are set at run time, and acts on them in the whole cluster.
 *
 * @example
 * ```ts
 * constructor(private readonly schedules: TaskSchedules) {}
 *
 * await this.schedules.set({
 *   name: `report:${tenant.id}`,
 *   cron: { hour: tenant.hour },
 *   timeZone: tenant.timeZone,
 *   signature: task(ReportTasks).write(tenant.id),
 * });
 * ```
 */
export class TaskSchedules {
  private readonly jobs: TickJobs;
  private readonly stored: SetSchedules;

  constructor(
    private readonly engine: Engine,
    private readonly registry: () => TaskRegistry,
    private readonly settings: TasksSettings,
    private readonly declared: () => readonly PlannedSchedule[],
    private readonly clock: Clock,
  ) {
    this.jobs = new TickJobs(registry, settings);
    this.stored = new SetSchedules(engine.schedules, settings);
  }

  /** Every schedule: those that this application declares, then those that are set, by name. */
  async list(): Promise<readonly ScheduleInfo[]> {
    const set = await this.stored.all();
    const schedules = [...this.declared(), ...set.filter(({ name }) => !this.findDeclared(name))];
    const { now, states } = await this.stored.states(schedules);
    return schedules.map((schedule, index) => toScheduleInfo(schedule, states[index], now));
  }

  /**
   * When a schedule is due next; none for a disabled one. A pause changes nothing about it.
   *
   * @param count 1 to 10,000; fewer come back where no more are to come @default 1
   * @throws UnknownScheduleError with the nearest name
   */
  async next(name: string, count = 1): Promise<readonly Date[]> {
    const fits = Number.isSafeInteger(count) && count >= 1 && count <= MOST_TICKS;
    expectThat(fits, 'next(): count', count, `a whole number from 1 to ${MOST_TICKS}`);
    const { schedule, state, now } = await this.find(name, 'next()');
    const { rule, limit, disabled } = schedule;
    const most = disabled ? 0 : Math.min(count, limit === undefined ? count : Math.max(0, limit - (state?.count ?? 0)));
    const ticks: Date[] = [];
    for (let tick = rule.next(now); tick !== undefined && ticks.length < most; tick = rule.next(tick)) {
      ticks.push(new Date(tick));
    }
    return ticks;
  }

  /**
   * Makes one run now, which is no tick, whatever pause, overlap and limit say.
   *
   * @throws UnknownScheduleError with the nearest name
   */
  async trigger(name: string): Promise<JobHandle> {
    const { schedule } = await this.find(name, 'trigger()');
    const { queue, task } = schedule;
    const tick = await this.jobs.trigger(schedule, this.clock.now());
    const { answers } = await this.engine.schedules.tick(queue, [tick]);
    const [answer] = answers;
    const by = answer.type === 'skipped' ? answer.by : undefined;
    const address = { id: by ?? tick.job.id, queue };
    const view = { redact: this.settings.redact, attemptsOf: (of: string) => this.attemptsOf(of) };
    return new EngineJobHandle(this.engine, address, task, by !== undefined, view);
  }

  /**
   * Lets a schedule make no jobs, in the whole cluster and until it is resumed. What is due meanwhile is not made up.
   *
   * @throws UnknownScheduleError with the nearest name
   */
  async pause(name: string, reason?: string): Promise<void> {
    if (reason !== undefined) expectThat(isText(reason), 'pause(): reason', reason, 'a text, or none');
    const { schedule } = await this.find(name, 'pause()');
    const pause = { ...(reason !== undefined && { reason }), since: this.clock.now() };
    await this.setPause(schedule, pause);
  }

  /**
   * Ends a pause; harmless where there is none.
   *
   * @throws UnknownScheduleError with the nearest name
   */
  async resume(name: string): Promise<void> {
    const { schedule } = await this.find(name, 'resume()');
    await this.setPause(schedule, undefined);
  }

  /**
   * Creates or replaces a schedule that is kept in the engine. Every worker follows within 5 s. The same definition again
   * changes nothing; another one begins anew, so that nothing of the former is made up and its limit counts from 0.
   *
   * @throws InvalidOptionsError for a wrong definition, and for the name of a declared schedule
   * @throws InvalidPayloadError, UnknownTaskError, UnknownQueueError for a call that could not be enqueued
   */
  async set(definition: ScheduleDefinition): Promise<void> {
    const signature = checkDefinition(definition);
    const { name } = definition;
    this.refuseDeclared(name, 'set()', 'Change the decorator, or take another name');
    const { queue } = await newJob(signature, undefined, this.registry(), this.settings, this.clock.now());
    await this.stored.set(queue, name, writeDefinition(definition, signature, queue));
  }

  /**
   * Removes a schedule that was set. Jobs that it has made stay.
   *
   * @returns false where there is none of that name
   * @throws InvalidOptionsError for the name of a declared schedule
   */
  async remove(name: string): Promise<boolean> {
    this.refuseDeclared(name, 'remove()', 'Remove the decorator, or pause() it');
    return this.stored.remove(name);
  }

  private async setPause({ name, source, queue }: PlannedSchedule, pause: SchedulePause | undefined): Promise<void> {
    // The next deploy may give a declared one another queue, which must not end the pause.
    const queues = source === 'declared' ? [...this.settings.queues.keys()] : [queue];
    await Promise.all(queues.map((one) => this.engine.schedules.pause(one, name, pause)));
  }

  private async find(
    name: string,
    where: string,
  ): Promise<{ schedule: PlannedSchedule; state?: ScheduleState; now: number }> {
    const declared = this.findDeclared(name);
    if (declared) {
      const { now, states } = await this.stored.states([declared]);
      return { schedule: declared, state: states[0], now };
    }
    const found = await this.stored.find(name);
    if (found) {
      const { definition, state, now } = found;
      return { schedule: readDefinition(name, definition, 0, this.settings.schedules), state, now };
    }
    const known = [...this.declared(), ...(await this.stored.all())].map((schedule) => schedule.name);
    throw new UnknownScheduleError(
      `${where}: no schedule is called '${name}'. ${suggest(name, known.slice(0, 1_000))}`,
    );
  }

  private findDeclared(name: string): PlannedSchedule | undefined {
    return this.declared().find((schedule) => schedule.name === name);
  }

  private refuseDeclared(name: string, where: string, remedy: string): void {
    if (!this.findDeclared(name)) return;
    throw new InvalidOptionsError(`${where}: the schedule '${name}' is declared by a decorator. ${remedy}.`);
  }

  private attemptsOf(task: string): number {
    return this.registry().get(task)?.options.attempts ?? this.settings.defaults.attempts;
  }
}
