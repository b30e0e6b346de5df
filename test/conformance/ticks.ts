import { expect } from 'vitest';
import type { DueTick, NewTick, ScheduleState, TickAnswer } from '../../lib/contracts/engine-schedules.js';
import type { NewJob } from '../../lib/contracts/engine.js';
import type { Scene } from './scene.js';

/** A schedule of the queue `default` as those see it who tick it. */
export class TickedSchedule {
  /** By the engine's clock. */
  now = 0;
  private runs = 0;

  constructor(
    private readonly scene: Scene,
    readonly name = 'Reports.daily',
  ) {}

  /** Makes the schedule known. */
  async appear(rule = 'rule'): Promise<ScheduleState> {
    const { now, states } = await this.scene.engine.schedules.read('default', [{ name: this.name, rule }]);
    this.now = now;
    return states[0]!;
  }

  async state(): Promise<ScheduleState | undefined> {
    const { states } = await this.scene.engine.schedules.read('default', [{ name: this.name }]);
    return states[0];
  }

  /** A tick so many milliseconds after the present one of `now`. */
  due(offset: number, fields: Partial<DueTick> = {}, job: Partial<NewJob> = {}): DueTick {
    const at = this.now + offset;
    return {
      kind: 'tick',
      schedule: this.name,
      at,
      after: at - 1,
      missed: 0,
      overlap: 'allow',
      job: this.job(`tick:${this.name}:${at}`, job, { tick: at, missed: fields.missed ?? 0 }),
      ...fields,
    };
  }

  trigger(): NewTick {
    return { kind: 'trigger', schedule: this.name, job: this.job(`trigger-${++this.runs}`) };
  }

  start(deploy: string): NewTick {
    return { kind: 'start', schedule: this.name, deploy, job: this.job(`start:${this.name}:${deploy}`) };
  }

  async tick(...ticks: NewTick[]): Promise<readonly TickAnswer[]> {
    const { now, answers } = await this.scene.engine.schedules.tick('default', ticks);
    expect(now).toBeGreaterThan(0);
    return answers;
  }

  private job(id: string, fields: Partial<NewJob> = {}, schedule: { tick?: number; missed?: number } = {}): NewJob {
    const own = { name: this.name, missed: 0, ...schedule };
    return this.scene.job({ id, ...fields, rules: { ...fields.rules, schedule: own } });
  }
}
