import type { Clock } from '../../contracts/clock.js';
import type { JobRules, WaitingFor } from '../../contracts/job.js';
import type { EmbeddedJob } from './embedded-job.js';
import { ParkedGroup, RunGate, StartGate, type Gate } from './gates.js';
import { isBefore } from './line.js';
import { Timetable } from './timetable.js';

/** How a job stands to its limits; one that has none, or is not there yet, does not. */
type Standing =
  { is: 'parked'; group: ParkedGroup; gates: readonly Gate[] } | { is: 'woken' | 'running'; gates: readonly Gate[] };

/**
 * The limits of one queue. A job that would exceed one is parked with those that wait for the same, and woken when there
 * is room; nobody asks again and again. Both places of a job with two limits are taken together.
 */
export class Limits {
  private readonly runGates = new Map<string, RunGate>();
  private readonly startGates = new Map<string, StartGate>();
  private readonly standings = new Map<EmbeddedJob, Standing>();
  private readonly openings: Timetable<StartGate>;

  /** @param wakeUp called for each job that may try again; it stands in no line then */
  constructor(
    private readonly clock: Clock,
    private readonly wakeUp: (job: EmbeddedJob) => void,
  ) {
    this.openings = new Timetable(clock, (gate) => this.look(gate));
  }

  /** True: the job starts at this instant. False: it is parked. */
  admit(job: EmbeddedJob, now: number): boolean {
    const { rules } = job;
    if (!rules?.concurrency && !rules?.rate) return true;
    // The timer may be late, and whoever waits comes first.
    this.openings.run(now);
    const standing = this.standings.get(job);
    const gates = standing?.gates ?? this.gatesOf(rules);
    if (standing) for (const gate of gates) gate.arrive(job);
    const isAdmitted = gates.every((gate) => (standing ? gate.hasRoom(rules, now, 0) : gate.hasRoomBeside(job, now)));
    if (isAdmitted) this.start(job, rules, gates, now);
    else this.park(job, rules, gates, now);
    if (standing) for (const gate of gates) this.wake(gate, now);
    return isAdmitted;
  }

  /** Lets go of what the job has taken: it has ended, waits anew or goes away. It stands in no line of a limit any more. */
  leave(job: EmbeddedJob): void {
    const standing = this.standings.get(job);
    if (!standing) return;
    this.standings.delete(job);
    const { gates } = standing;
    switch (standing.is) {
      case 'parked':
        this.closeIfEmpty(standing.group);
        break;
      case 'woken':
        for (const gate of gates) gate.arrive(job);
        break;
      case 'running':
        for (const gate of gates) if (gate instanceof RunGate) gate.leave();
        break;
    }
    const now = this.clock.now();
    for (const gate of gates) this.wake(gate, now);
    for (const gate of gates) this.tidy(gate, now);
  }

  /** The run that began at this instant never did. */
  takeBackStart({ rules }: EmbeddedJob, at: number): void {
    const gate = rules?.rate && this.startGates.get(rules.rate.key);
    if (!gate) return;
    gate.giveBack(at);
    this.wake(gate, this.clock.now());
  }

  waitingFor(job: EmbeddedJob): WaitingFor | undefined {
    const standing = this.standings.get(job);
    if (standing?.is !== 'parked') return undefined;
    const [closed = standing.gates[0]] = standing.gates.filter((gate) => !gate.hasRoomBeside(job, this.clock.now()));
    return closed instanceof RunGate ? 'concurrency' : 'rate';
  }

  *parked(): Generator<EmbeddedJob> {
    const groups = new Set<ParkedGroup>();
    for (const gates of [this.runGates, this.startGates]) {
      for (const gate of gates.values()) for (const group of gate.groups.values()) groups.add(group);
    }
    for (const group of groups) yield* group.jobs;
  }

  close(): void {
    this.openings.close();
  }

  /** The one of the concurrency first. */
  private gatesOf({ concurrency, rate }: JobRules): readonly Gate[] {
    const gates: Gate[] = [];
    if (concurrency) gates.push(getOrAdd(this.runGates, concurrency.key, (key) => new RunGate(key)));
    if (rate) gates.push(getOrAdd(this.startGates, rate.key, (key) => new StartGate(key)));
    return gates;
  }

  private start(job: EmbeddedJob, rules: JobRules, gates: readonly Gate[], now: number): void {
    for (const gate of gates) {
      gate.enter(rules, now);
      if (!(gate instanceof StartGate)) continue;
      const freeAt = gate.freeAt(rules);
      this.lookBy(gate, gate.groups.size > 0 && freeAt > now ? freeAt : gate.idleAt);
    }
    if (rules.concurrency) this.standings.set(job, { is: 'running', gates: gates.slice(0, 1) });
    else this.standings.delete(job);
  }

  private park(job: EmbeddedJob, rules: JobRules, gates: readonly Gate[], now: number): void {
    const group = gates[0].groups.get(gates[1]) ?? new ParkedGroup(gates);
    if (this.standings.has(job)) group.jobs.pushWoken(job);
    else group.jobs.push(job);
    this.standings.set(job, { is: 'parked', group, gates });
    for (const gate of gates) {
      if (gate instanceof StartGate && gate.freeAt(rules) > now) this.lookBy(gate, gate.freeAt(rules));
    }
  }

  private wake(gate: Gate, now: number): void {
    for (let next = firstReady(gate, now); next; next = firstReady(gate, now)) {
      const { job, group } = next;
      job.line!.remove(job);
      this.closeIfEmpty(group);
      for (const one of group.gates) one.setOut(job);
      this.standings.set(job, { is: 'woken', gates: group.gates });
      this.wakeUp(job);
    }
  }

  private look(gate: StartGate): void {
    // One look at the clock: what comes too late for the one must not be too early for the other.
    const now = this.clock.now();
    this.wake(gate, now);
    this.lookBy(gate, gate.nextOpening(now));
    this.tidy(gate, now);
  }

  /** Looks at this instant, unless that never comes or it looks earlier already. */
  private lookBy(gate: StartGate, at: number): void {
    if (at === Infinity || (gate.place !== -1 && gate.at <= at)) return;
    this.openings.remove(gate);
    this.openings.add(gate, at);
  }

  private closeIfEmpty(group: ParkedGroup): void {
    if (group.jobs.isEmpty) group.close();
  }

  /** Keys may be made of anything, so that one which nobody uses must not stay. */
  private tidy(gate: Gate, now: number): void {
    if (gate.isAwaited) return;
    if (gate instanceof StartGate) {
      if (gate.idleAt > now) {
        this.lookBy(gate, gate.idleAt);
        return;
      }
      this.openings.remove(gate);
      this.startGates.delete(gate.key);
    } else if (gate instanceof RunGate && gate.isIdle) {
      this.runGates.delete(gate.key);
    }
  }
}

function firstReady(gate: Gate, now: number): { job: EmbeddedJob; group: ParkedGroup } | undefined {
  let first: { job: EmbeddedJob; group: ParkedGroup } | undefined;
  for (const group of gate.groups.values()) {
    const job = group.ready(now);
    if (job && (!first || isBefore(job, first.job))) first = { job, group };
  }
  return first;
}

function getOrAdd<T>(map: Map<string, T>, key: string, make: (key: string) => T): T {
  let value = map.get(key);
  if (!value) map.set(key, (value = make(key)));
  return value;
}
