import { decodeWith, encodeWith, isEncoded, type PayloadCodec } from '../contracts/codec.js';
import type {
  EngineSchedules,
  NewTick,
  ScheduleAddress,
  ScheduleChanges,
  SchedulePause,
  ScheduleStates,
  TickAnswers,
} from '../contracts/engine-schedules.js';
import type { NewJob } from '../contracts/job.js';

/** The schedules of an engine behind a codec: the jobs of ticks are encoded, and definitions, which have arguments too. */
export class EncodedSchedules implements EngineSchedules {
  constructor(
    private readonly schedules: EngineSchedules,
    private readonly codec: PayloadCodec,
    private readonly encodeJob: (job: NewJob) => Promise<NewJob>,
  ) {}

  async tick(queue: string, ticks: readonly NewTick[]): Promise<TickAnswers> {
    const encoded = ticks.map(async (tick): Promise<NewTick> => ({ ...tick, job: await this.encodeJob(tick.job) }));
    return this.schedules.tick(queue, await Promise.all(encoded));
  }

  /** Encoded twice a definition may differ from itself, so that it is compared here. */
  async set(queue: string, name: string, definition: string | undefined): Promise<boolean> {
    if (definition === undefined) return this.schedules.set(queue, name, undefined);
    if ((await this.definitionOf(queue, name)) === definition) return false;
    const encoded = await encodeWith(this.codec, definition, `the definition of the schedule '${name}'`);
    return this.schedules.set(queue, name, encoded);
  }

  /** What cannot be decoded stays as it is stored. */
  async changes(queue: string, since: number): Promise<ScheduleChanges> {
    const changes = await this.schedules.changes(queue, since);
    const decoded = changes.set.map(async (one) => ({ ...one, definition: await this.decode(one.definition) }));
    return { ...changes, set: await Promise.all(decoded) };
  }

  async read(queue: string, schedules: readonly ScheduleAddress[]): Promise<ScheduleStates> {
    const { now, states } = await this.schedules.read(queue, schedules);
    const decoded = states.map(async (state) =>
      state?.definition === undefined ? state : { ...state, definition: await this.decode(state.definition) },
    );
    return { now, states: await Promise.all(decoded) };
  }

  follow(queue: string, changed: () => void): () => void {
    return this.schedules.follow(queue, changed);
  }

  pause(queue: string, name: string, pause: SchedulePause | undefined): Promise<void> {
    return this.schedules.pause(queue, name, pause);
  }

  private async definitionOf(queue: string, name: string): Promise<string | undefined> {
    const { states } = await this.schedules.read(queue, [{ name }]);
    const found = states[0]?.definition;
    // One that was stored before there was a codec is to be encoded now.
    return found !== undefined && isEncoded(found) ? this.decode(found) : undefined;
  }

  private async decode(stored: string): Promise<string> {
    return decodeWith(this.codec, stored, 'what is stored').catch(() => stored);
  }
}
