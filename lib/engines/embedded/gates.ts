import type { JobRules } from '../../contracts/job.js';
import type { EmbeddedJob } from './embedded-job.js';
import { LANES, Lanes, laneOf } from './lanes.js';
import { RunPlaces } from './run-places.js';
import { StartPlaces } from './start-places.js';
import type { Timed } from './timetable.js';

/** The jobs that wait for the same limit, or the same two. */
export class ParkedGroup {
  readonly jobs = new Lanes<EmbeddedJob>(true);

  /** @param gates one or two */
  constructor(readonly gates: readonly Gate[]) {
    const [gate, other] = gates;
    gate.groups.set(other, this);
    other?.groups.set(gate, this);
  }

  /** Its first job, where each gate has room for it beside those that are on their way. */
  ready(now: number): EmbeddedJob | undefined {
    const job = this.jobs.peek();
    return job && this.gates.every((gate) => gate.hasRoomBeside(job, now)) ? job : undefined;
  }

  /** No longer waited in. */
  close(): void {
    const [gate, other] = this.gates;
    gate.groups.delete(other);
    other?.groups.delete(gate);
  }
}

/** One key of a limit: who waits for it, and who was woken and is on its way to a worker. */
export abstract class Gate {
  /** Those who wait, by the other limit that they wait for as well. */
  readonly groups = new Map<Gate | undefined, ParkedGroup>();
  private readonly woken = Array.from({ length: LANES }, () => 0);

  constructor(readonly key: string) {}

  /** @param promised places that others will take first */
  abstract hasRoom(rules: JobRules, now: number, promised: number): boolean;

  /** Called when a job starts. */
  abstract enter(rules: JobRules, now: number): void;

  /** Those on their way in a lower lane do not count: this job would be there before them, and they would wait again. */
  hasRoomBeside(job: EmbeddedJob, now: number): boolean {
    const lane = laneOf(job);
    const promised = this.woken.reduce((sum, count, index) => (index <= lane ? sum + count : sum), 0);
    return this.hasRoom(job.rules!, now, promised);
  }

  setOut(job: EmbeddedJob): void {
    this.woken[laneOf(job)]++;
  }

  arrive(job: EmbeddedJob): void {
    this.woken[laneOf(job)]--;
  }

  /** Whether anyone waits here, or is on the way. */
  get isAwaited(): boolean {
    return this.groups.size > 0 || this.woken.some((count) => count > 0);
  }
}

/** A key of a concurrency limit. */
export class RunGate extends Gate {
  private readonly places = new RunPlaces();

  override hasRoom({ concurrency }: JobRules, _now: number, promised: number): boolean {
    return this.places.hasRoom(concurrency!.max, promised);
  }

  override enter(): void {
    this.places.take();
  }

  leave(): void {
    this.places.give();
  }

  get isIdle(): boolean {
    return this.places.isIdle;
  }
}

/** A key of a rate limit; its instant in a timetable is when to look again whether there is room, or need for it. */
export class StartGate extends Gate implements Timed {
  at = 0;
  order = 0;
  place = -1;
  private readonly places = new StartPlaces();

  override hasRoom({ rate }: JobRules, now: number, promised: number): boolean {
    return this.places.freeAt(rate!, promised) <= now;
  }

  override enter({ rate }: JobRules, now: number): void {
    this.places.take(now, rate!);
  }

  /** A start of this instant was none after all. */
  giveBack(at: number): void {
    this.places.giveBack(at);
  }

  /** The instant at which one more job like this may start. */
  freeAt({ rate }: JobRules): number {
    return this.places.freeAt(rate!);
  }

  /** The instant from which no start needs to be known any more. */
  get idleAt(): number {
    return this.places.idleAt;
  }

  /** The next instant at which time alone makes room for one of those who wait; Infinity: time alone does not. */
  nextOpening(now: number): number {
    let next = Infinity;
    for (const { jobs } of this.groups.values()) {
      const freeAt = this.freeAt(jobs.peek()!.rules!);
      if (freeAt > now) next = Math.min(next, freeAt);
    }
    return next;
  }
}
