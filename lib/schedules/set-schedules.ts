import type { EngineSchedules, ScheduleState } from '../contracts/engine-schedules.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { PlannedSchedule } from './planned-schedule.js';
import { readDefinition } from './stored-definition.js';

/** The schedules that are kept in the engine, each in the queue of its jobs. */
export class SetSchedules {
  constructor(
    private readonly engine: EngineSchedules,
    private readonly settings: TasksSettings,
  ) {}

  /** Those that can be read, by name. */
  async all(): Promise<readonly PlannedSchedule[]> {
    const found = await Promise.all(this.queues.map((queue) => this.allOf(queue)));
    return found.flat().toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  async find(name: string): Promise<{ definition: string; state: ScheduleState; now: number } | undefined> {
    const found = await Promise.all(this.queues.map((queue) => this.engine.read(queue, [{ name }])));
    for (const { now, states } of found) {
      const [state] = states;
      if (state?.definition !== undefined) return { definition: state.definition, state, now };
    }
    return undefined;
  }

  /** What is kept of schedules, in their order. */
  async states(
    schedules: readonly PlannedSchedule[],
  ): Promise<{ now: number; states: readonly (ScheduleState | undefined)[] }> {
    const states = new Map<PlannedSchedule, ScheduleState | undefined>();
    let now = 0;
    await Promise.all(
      this.queues.map(async (queue) => {
        const own = schedules.filter((schedule) => schedule.queue === queue);
        const answer = await this.engine.read(
          queue,
          own.map(({ name }) => ({ name })),
        );
        now = Math.max(now, answer.now);
        own.forEach((schedule, index) => states.set(schedule, answer.states[index]));
      }),
    );
    return { now, states: schedules.map((schedule) => states.get(schedule)) };
  }

  /** A name is that of one schedule: one that made jobs of another queue goes first. */
  async set(queue: string, name: string, definition: string): Promise<void> {
    await this.removeFrom(
      this.queues.filter((other) => other !== queue),
      name,
    );
    await this.engine.set(queue, name, definition);
  }

  async remove(name: string): Promise<boolean> {
    return this.removeFrom(this.queues, name);
  }

  private async removeFrom(queues: readonly string[], name: string): Promise<boolean> {
    const removed = await Promise.all(queues.map((queue) => this.engine.set(queue, name, undefined)));
    return removed.includes(true);
  }

  private async allOf(queue: string): Promise<PlannedSchedule[]> {
    const schedules: PlannedSchedule[] = [];
    let version = 0;
    for (let hasMore = true; hasMore;) {
      const changes = await this.engine.changes(queue, version);
      for (const one of changes.set) {
        try {
          schedules.push(readDefinition(one.name, one.definition, one.version, this.settings.schedules));
        } catch {
          // Workers log what they cannot read.
        }
      }
      ({ version, hasMore } = changes);
    }
    return schedules;
  }

  private get queues(): readonly string[] {
    return [...this.settings.queues.keys()];
  }
}
