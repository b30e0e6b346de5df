import type { Clock } from '../../contracts/clock.js';
import {
  CHANGES_PAGE,
  EARLY_TICK,
  type DueTick,
  type EngineSchedules,
  type NewTick,
  type ScheduleAddress,
  type ScheduleChanges,
  type SchedulePause,
  type ScheduleState,
  type ScheduleStates,
  type TickAnswer,
  type TickAnswers,
} from '../../contracts/engine-schedules.js';
import type { EmbeddedQueue } from './embedded-queue.js';
import { KeptSchedule } from './kept-schedule.js';
import { StoredDefinitions } from './stored-definitions.js';

/** What this process keeps of schedules; what ticks here are the only ones, so that nothing needs to age. */
export class EmbeddedSchedules implements EngineSchedules {
  private readonly kept = new Map<EmbeddedQueue, Map<string, KeptSchedule>>();
  private readonly definitions = new Map<EmbeddedQueue, StoredDefinitions>();

  constructor(
    private readonly clock: Clock,
    /** Throws where the engine is closed, and for a queue that was not declared. */
    private readonly openQueue: (name: string) => EmbeddedQueue,
  ) {}

  async tick(name: string, ticks: readonly NewTick[]): Promise<TickAnswers> {
    const queue = this.openQueue(name);
    return { now: this.clock.now(), answers: ticks.map((tick) => this.decide(queue, tick)) };
  }

  async read(name: string, schedules: readonly ScheduleAddress[]): Promise<ScheduleStates> {
    const queue = this.openQueue(name);
    const now = this.clock.now();
    const states = schedules.map(({ name: schedule, rule }): ScheduleState | undefined => {
      if (rule !== undefined) this.keptOf(queue, schedule).follow(rule, now);
      const definition = rule === undefined ? this.definitionsOf(queue).definitionOf(schedule) : undefined;
      const kept = this.kept.get(queue)?.get(schedule) ?? (definition === undefined ? undefined : new KeptSchedule());
      return kept && { ...kept.read(queue), ...(definition !== undefined && { definition }) };
    });
    return { now, states };
  }

  async set(name: string, schedule: string, definition: string | undefined): Promise<boolean> {
    const queue = this.openQueue(name);
    const isChanged = this.definitionsOf(queue).set(schedule, definition);
    if (definition === undefined && isChanged) this.kept.get(queue)?.delete(schedule);
    else if (isChanged) this.kept.get(queue)?.get(schedule)?.countAnew();
    return isChanged;
  }

  async changes(name: string, since: number): Promise<ScheduleChanges> {
    return { now: this.clock.now(), ...this.definitionsOf(this.openQueue(name)).changes(since, CHANGES_PAGE) };
  }

  follow(name: string, changed: () => void): () => void {
    return this.definitionsOf(this.openQueue(name)).follow(changed);
  }

  async pause(name: string, schedule: string, pause: SchedulePause | undefined): Promise<void> {
    this.keptOf(this.openQueue(name), schedule).setPause(pause, this.clock.now());
  }

  private decide(queue: EmbeddedQueue, tick: NewTick): TickAnswer {
    const { schedule, job } = tick;
    if (tick.kind === 'tick' && !this.isCurrent(queue, tick)) return { type: 'gone' };
    if (tick.kind === 'tick' && tick.at > this.clock.now() + EARLY_TICK) return { type: 'early' };
    const kept = this.keptOf(queue, schedule);
    const answer = kept.decide(tick, queue);
    if (answer) return answer;
    const { lastTick } = kept;
    const own = {
      ...(job.rules?.schedule ?? { name: schedule, missed: 0 }),
      ...(lastTick !== undefined && { previousTick: lastTick }),
    };
    const after = tick.kind === 'tick' && tick.overlap === 'queue' ? kept.unfinished(queue) : undefined;
    const { id, deduplicated } = queue.add({ ...job, rules: { ...job.rules, schedule: own } }, after, 'return');
    if (deduplicated && id === job.id) return { type: 'known', done: tick.kind === 'tick' ? tick.at : 0 };
    if (deduplicated) return kept.skip(id);
    kept.accept(tick, queue);
    return { type: 'accepted' };
  }

  /** Whether the caller knows the latest definition of a schedule that was set. */
  private isCurrent(queue: EmbeddedQueue, { schedule, version }: DueTick): boolean {
    return version === undefined || this.definitionsOf(queue).versionOf(schedule) === version;
  }

  private keptOf(queue: EmbeddedQueue, schedule: string): KeptSchedule {
    const schedules = this.kept.get(queue) ?? new Map<string, KeptSchedule>();
    this.kept.set(queue, schedules);
    const kept = schedules.get(schedule) ?? new KeptSchedule();
    schedules.set(schedule, kept);
    return kept;
  }

  private definitionsOf(queue: EmbeddedQueue): StoredDefinitions {
    const definitions = this.definitions.get(queue) ?? new StoredDefinitions();
    this.definitions.set(queue, definitions);
    return definitions;
  }
}
