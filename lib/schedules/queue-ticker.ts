import TinyQueue from 'tinyqueue';
import type { Clock, ClockTimer } from '../contracts/clock.js';
import type { EngineSchedules, NewTick } from '../contracts/engine-schedules.js';
import type { Due } from './due-ticks.js';
import { EngineClock } from './engine-clock.js';
import type { PlannedSchedule } from './planned-schedule.js';
import type { TickJobs } from './tick-jobs.js';
import type { TickReport } from './tick-report.js';
import { TickedSchedule } from './ticked-schedule.js';

/** The clock of the machine may be set at any time, so that no timer is trusted for longer, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** Wait before what could not be handed over is tried again, in milliseconds. */
const TRY_AGAIN_AFTER = 1_000;

/** Made at a time, so that the rest of the process has its turns. */
const TICKS_AT_A_TIME = 500;

/** So many looks may be stale before they are dropped. */
const STALE_LOOKS = 1_000;

/** An instant at which a schedule is to be looked at; stale once the schedule has gone on. */
interface Look {
  at: number;
  ticked: TickedSchedule;
}

/** A tick on its way to the engine. */
interface Handover {
  ticked: TickedSchedule;
  due: Due;
}

/** Ticks the schedules of one queue: one timer for the earliest of them, and one call for all that are due together. */
export class QueueTicker {
  readonly time: EngineClock;
  private readonly schedules = new Map<string, TickedSchedule>();
  private looks = new TinyQueue<Look>([], earlier);
  private timer: ClockTimer | undefined;
  private again: ClockTimer | undefined;
  private arriving: TickedSchedule[] = [];
  private isStopped = false;
  /** Calls under way, so that a shutdown waits for them. */
  private readonly calls = new Set<Promise<void>>();

  constructor(
    readonly queue: string,
    private readonly engine: EngineSchedules,
    private readonly clock: Clock,
    private readonly jobs: TickJobs,
    private readonly report: TickReport,
    private readonly deploy: string,
  ) {
    this.time = new EngineClock(clock);
  }

  find(name: string): TickedSchedule | undefined {
    return this.schedules.get(name);
  }

  /** Begins to tick schedules, each in the place of an earlier one of its name. */
  add(schedules: readonly PlannedSchedule[]): void {
    for (const schedule of schedules) {
      this.remove(schedule.name);
      const ticked = new TickedSchedule(schedule);
      this.schedules.set(schedule.name, ticked);
      this.arriving.push(ticked);
    }
    this.follow(this.arrive());
  }

  remove(name: string): void {
    const ticked = this.schedules.get(name);
    if (ticked) ticked.isGone = true;
    this.schedules.delete(name);
  }

  /** Stops or goes on with a schedule in this process only. */
  setStopped(ticked: TickedSchedule, isStopped: boolean): void {
    if (ticked.isStopped === isStopped) return;
    ticked.isStopped = isStopped;
    if (!isStopped && ticked.next !== undefined) ticked.goOn(this.time.now());
    this.lookAt(ticked);
    this.arm();
  }

  /** Makes one run now. */
  async trigger({ schedule }: TickedSchedule): Promise<void> {
    const tick = await this.jobs.trigger(schedule, this.time.now());
    await this.time.ask(() => this.engine.tick(this.queue, [tick]));
  }

  /** Tells the engine that all schedules are still there, so that it keeps what it knows of them. */
  touch(): void {
    const addresses = [...this.schedules.values()].map(({ schedule: { name, ruleText: rule } }) => ({ name, rule }));
    if (addresses.length > 0) this.follow(this.time.ask(() => this.engine.read(this.queue, addresses)).then(ignore));
  }

  /** Ticks no more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.clock.clearTimer(this.timer);
    this.clock.clearTimer(this.again);
    await Promise.all(this.calls);
  }

  /** Learns what the engine knows of new schedules, and makes up what they have missed. */
  private async arrive(): Promise<void> {
    const { arriving } = this;
    this.arriving = [];
    for (let first = 0; first < arriving.length && !this.isStopped; first += TICKS_AT_A_TIME) {
      const part = arriving.slice(first, first + TICKS_AT_A_TIME).filter(({ isGone }) => !isGone);
      try {
        await this.begin(part);
      } catch {
        // Redis is away, which is logged already.
        this.arriving.push(...arriving.slice(first));
        this.again ??= this.clock.setTimer(() => {
          this.again = undefined;
          if (!this.isStopped) this.follow(this.arrive());
        }, TRY_AGAIN_AFTER);
        return;
      }
    }
  }

  private async begin(part: readonly TickedSchedule[]): Promise<void> {
    const addresses = part.map(({ schedule: { name, ruleText: rule } }) => ({ name, rule }));
    const { now, states } = await this.time.ask(() => this.engine.read(this.queue, addresses));
    const handovers: Handover[] = [];
    const starts: TickedSchedule[] = [];
    part.forEach((ticked, index) => {
      const state = states[index];
      if (!state || ticked.schedule.disabled) return;
      for (const due of ticked.begin(state, now)) handovers.push({ ticked, due });
      if (ticked.schedule.runOnStart) starts.push(ticked);
    });
    if (starts.length > 0) await this.handOverStarts(starts, now);
    for (let first = 0; first < handovers.length; first += TICKS_AT_A_TIME) {
      await this.handOver(handovers.slice(first, first + TICKS_AT_A_TIME), true);
    }
    for (const ticked of part) this.lookAt(ticked);
    this.arm();
  }

  private async handOverStarts(starts: readonly TickedSchedule[], now: number): Promise<void> {
    const ticks: NewTick[] = [];
    for (const { schedule } of starts) {
      const tick = await this.make(schedule, () => this.jobs.start(schedule, this.deploy, now));
      if (tick) ticks.push(tick);
    }
    await this.time.ask(() => this.engine.tick(this.queue, ticks));
  }

  /** @throws EngineUnavailableError */
  private async handOver(handovers: readonly Handover[], isCatchUp: boolean): Promise<void> {
    const now = this.time.now();
    const sent: Handover[] = [];
    const ticks: NewTick[] = [];
    for (const handover of handovers) {
      const { schedule } = handover.ticked;
      const isInTurn = isCatchUp && schedule.catchUp === 'all';
      const made = this.make(schedule, () => this.jobs.tick(schedule, handover.due, now, isInTurn));
      const tick = made instanceof Promise ? await made : made;
      if (!tick) continue;
      sent.push(handover);
      ticks.push(tick);
    }
    const { answers } = await this.time.ask(() => this.engine.tick(this.queue, ticks));
    sent.forEach(({ ticked, due }, index) => {
      if (ticked.learn(ticks[index], answers[index])) this.lookAt(ticked);
      this.report.answered(ticked.schedule, ticks[index], due, answers[index], now);
    });
  }

  /** A schedule whose call cannot be made must hold up no other one. */
  private make(
    schedule: PlannedSchedule,
    make: () => NewTick | Promise<NewTick>,
  ): NewTick | undefined | Promise<NewTick | undefined> {
    const refuse = (error: unknown): undefined => {
      this.report.refused(schedule, error);
      return undefined;
    };
    try {
      const made = make();
      return made instanceof Promise ? made.catch(refuse) : made;
    } catch (error) {
      return refuse(error);
    }
  }

  private lookAt(ticked: TickedSchedule): void {
    const at = ticked.dueAt;
    if (at === undefined) return;
    this.looks.push({ at, ticked });
    if (this.looks.length > STALE_LOOKS + 2 * this.schedules.size) this.dropStaleLooks();
  }

  /** Those of replaced and removed schedules would stay until they are due. */
  private dropStaleLooks(): void {
    const looks = [...this.schedules.values()].flatMap((ticked) => {
      const at = ticked.dueAt;
      return at === undefined ? [] : [{ at, ticked }];
    });
    this.looks = new TinyQueue(looks, earlier);
  }

  private arm(): void {
    this.clock.clearTimer(this.timer);
    const first = this.looks.peek();
    if (!first || this.isStopped) return;
    const wait = Math.min(first.at - this.time.now(), LONGEST_WAIT);
    this.timer = this.clock.setTimer(() => this.run(), Math.max(wait, 0), true);
  }

  private run(): void {
    const now = this.time.now();
    let due: Handover[] = [];
    for (let first = this.looks.peek(); first && first.at <= now; first = this.looks.peek()) {
      this.looks.pop();
      const { at, ticked } = first;
      if (ticked.dueAt !== at) continue;
      const tick = ticked.take(now);
      this.lookAt(ticked);
      if (!tick) continue;
      due.push({ ticked, due: tick });
      if (due.length < TICKS_AT_A_TIME) continue;
      this.send(due);
      due = [];
      break;
    }
    if (due.length > 0) this.send(due);
    this.arm();
  }

  private send(handovers: Handover[]): void {
    const handingOver = this.handOver(handovers, false).catch(() => {
      const retryAt = this.time.now() + TRY_AGAIN_AFTER;
      for (const { ticked, due } of handovers) {
        ticked.putBack(due, retryAt);
        this.lookAt(ticked);
      }
    });
    this.follow(handingOver.then(() => this.arm()));
  }

  private follow(call: Promise<void>): void {
    const ended = call.catch(ignore).finally(() => this.calls.delete(ended));
    this.calls.add(ended);
  }
}

function earlier(a: Look, b: Look): number {
  return a.at - b.at;
}

function ignore(): void {}
