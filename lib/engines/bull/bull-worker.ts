import { Logger } from '@nestjs/common';
import type { EngineWorker, StartRun, WorkOptions } from '../../contracts/engine.js';
import type { EngineUnavailableError, TasksError } from '../../contracts/errors.js';
import type { Outcome } from '../../contracts/outcome.js';
import { broken, guarded } from '../guarded-run.js';
import { Holds } from '../holds.js';
import { Slots } from '../slots.js';
import type { BullQueues } from './bull-queues.js';
import { CurrentRun, CurrentRuns } from './current-runs.js';
import { Drain, LOOK_WITHIN, WRITE_WITHIN } from './drain.js';
import { JobArrivals } from './job-arrivals.js';
import { LaneNotices } from './lane-notices.js';
import type { LostOutcomes } from './lost-outcomes.js';
import { Outbox } from './outbox.js';
import { EndedRun } from './outcome-arguments.js';
import type { QueueKeys } from './queue-keys.js';
import { QueueUpkeep, type UpkeepTimes } from './queue-upkeep.js';
import type { RedisConnections } from './redis-connections.js';
import { TakenJobs } from './taken-jobs.js';
import { WorkerTurns, type Arrival, type LockedJob } from './worker-turns.js';

/** Turns under way at a time: while Redis makes one, the jobs of the other are run. */
const TURNS_IN_FLIGHT = 2;

/** How long a job waits whose earlier run still goes on here, in ms. */
const OVERDUE_DELAY = 250;

const UNWRITTEN = 'Outcomes could not be written while stopping, so their jobs will run again';

/** Wait after a failed turn, in ms. */
const TURN_AGAIN = 200;

/**
 * Works one queue. Where Bull's loop takes one job per round trip, this one makes turns: all runs that ended in a turn of
 * the event loop are written, and all free slots filled, by one call of `turn.lua`. An idle worker waits in a blocking read.
 */
export class BullWorker implements EngineWorker {
  private readonly runs = new CurrentRuns();
  private readonly startRun: StartRun;
  private readonly slots: Slots;
  private readonly turns: WorkerTurns;
  private readonly arrivals: JobArrivals;
  private readonly taken: TakenJobs;
  private readonly upkeep: QueueUpkeep;
  private outbox = new Outbox();
  private requested = 0;
  private turnsInFlight = 0;
  private isTurnDue = false;
  private readonly lanes = new LaneNotices();
  private isPausing = false;
  private isAborted = false;
  private isPaused = false;
  private readonly holds = new Holds(() => this.makeTurn());
  private stopping: Promise<void> | undefined;
  private readonly drain = new Drain(() => this.isIdle);

  constructor(
    connections: RedisConnections,
    private readonly queues: BullQueues,
    private readonly keys: QueueKeys,
    private readonly options: WorkOptions,
    shared: UpkeepTimes & { lostOutcomes: LostOutcomes },
    token: string,
    startRun: StartRun,
    private readonly logger = new Logger('BullEngine'),
  ) {
    this.startRun = guarded(startRun);
    this.turns = new WorkerTurns(connections, keys, { ...shared, ...options, token }, logger);
    this.slots = new Slots(options.concurrency, () => this.makeTurn());
    this.arrivals = new JobArrivals(connections, keys, this.turns, {
      arrived: (arrival) => this.receiveArrival(arrival),
      replyLost: (lock) => this.findLost(lock),
    });
    this.taken = new TakenJobs(options.concurrency, (job) => this.begin(job), {
      nextPart: () => void this.turn(),
      begun: () => this.goOn(),
    });
    this.upkeep = new QueueUpkeep(connections, queues, keys, shared, {
      locks: () => [...this.runs.locks(), ...this.taken.locks()],
      onLost: (id, isCancelled) => void (this.taken.drop(id) || this.runs.loseLock(id, isCancelled)),
    });
    this.upkeep.start();
    void connections.settled().then(() => this.makeTurn());
  }

  /** Why it cannot work though Redis can be reached. */
  get problem(): string | undefined {
    return this.turns.problem;
  }

  get active(): number {
    return this.runs.size;
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  abort(reason: TasksError): void {
    this.isAborted = true;
    this.runs.abort(reason);
    this.drain.giveUpAfter(WRITE_WITHIN, () => this.logger.warn(`${UNWRITTEN}: Redis cannot be asked.`));
    this.drain.check();
  }

  /** Takes no jobs while it is paused; running ones go on. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.makeTurn();
  }

  hold(): () => void {
    // A job that the blocking read takes meanwhile would only go back.
    if (this.arrivals.isWaiting) void this.arrivals.makeWay();
    return this.holds.add();
  }

  /** Notes the start of a run that was handed over unbegun; undefined for a job that it does not run. */
  noteBegin(id: string): Promise<boolean> | undefined {
    const current = this.runs.get(id);
    return current && this.turns.noteBegin(current);
  }

  private get takesNone(): boolean {
    return this.stopping !== undefined || this.isPaused || this.holds.isHeld;
  }

  /** Acts on a notice about the queue. */
  receive(channel: string, message: string): void {
    switch (channel) {
      case 'delayed':
        this.upkeep.noteDelayed(Number(message));
        return;
      case 'lanes':
        this.lanes.note();
        this.makeTurn();
        return;
      case 'cancelled':
        this.runs.cancel(message, this.mayGetJobs);
    }
  }

  /** Notices may have been missed. */
  catchUp(): void {
    this.lanes.note();
    this.makeTurn();
    this.upkeep.catchUp();
  }

  private async end(): Promise<void> {
    await this.arrivals.stop();
    const isAllWritten = this.outbox.isEmpty && this.turnsInFlight === 0;
    if (isAllWritten && this.turns.isReclaimDue && this.runs.size === 0) this.drain.giveUpAfter(LOOK_WITHIN);
    await this.drain.ended();
    this.upkeep.stop();
  }

  private get isIdle(): boolean {
    const isAllWritten = this.outbox.isEmpty && !this.turns.isReclaimDue;
    return isAllWritten && !this.areJobsOnTheirWay && !this.runs.holdUpStop(this.isAborted);
  }

  private get areJobsOnTheirWay(): boolean {
    return this.turnsInFlight > 0 || this.taken.size > 0;
  }

  private get mayGetJobs(): boolean {
    return this.areJobsOnTheirWay || this.arrivals.isWaiting;
  }

  private get wanted(): number {
    if (this.takesNone || this.arrivals.isMakingWay) return 0;
    if (this.arrivals.isWaiting && !this.lanes.areOpen) return 0;
    return Math.max(0, this.slots.free - this.requested - this.outbox.arrived.length - this.taken.size);
  }

  /** There is something to write or to take, and nothing against it. */
  private get canTurn(): boolean {
    if (this.isPausing || this.turnsInFlight >= TURNS_IN_FLIGHT) return false;
    return !this.outbox.isEmpty || this.turns.isReclaimDue || this.wanted > 0;
  }

  private makeTurn(): void {
    if (this.isTurnDue || !this.canTurn) return;
    this.isTurnDue = true;
    setImmediate(() => {
      this.isTurnDue = false;
      void this.turn();
    });
  }

  private async turn(): Promise<void> {
    if (!this.canTurn) return;
    const { wanted, outbox } = this;
    this.outbox = new Outbox();
    const expected = wanted + outbox.arrived.length;
    this.requested += expected;
    this.turnsInFlight++;
    const noteEmpty = this.lanes.look();
    const mayTakeLow = !this.arrivals.isWaiting || this.arrivals.isStuck;
    let jobs: LockedJob[] = [];
    let isDrained = false;
    try {
      const taken = await this.turns.make(wanted, outbox, mayTakeLow);
      jobs = taken.jobs;
      isDrained = !taken.mayHaveMore && expected > jobs.length;
      if (isDrained) noteEmpty();
      else if (taken.mayHaveMore && !mayTakeLow) void this.arrivals.makeWay();
      for (const { run, outcome } of outbox.events) this.queues.emitEnd(run, outcome);
    } catch (error) {
      this.turnFailed(outbox, error as EngineUnavailableError);
    } finally {
      this.requested -= expected;
      this.turnsInFlight--;
    }
    this.taken.add(jobs);
    // After the jobs are begun: somebody may be waiting for one of them, and for no look at an empty queue.
    if (isDrained) this.waitIfFree();
  }

  private goOn(): void {
    if (!this.mayGetJobs) this.runs.allArrived();
    this.makeTurn();
    this.drain.check();
  }

  /**
   * Outcomes that may or may not have been written go out again: where they were, the lock is gone and nothing happens.
   * Once nothing runs any more while stopping they are given up, since the process could not end otherwise; their jobs
   * run again elsewhere.
   */
  private turnFailed(outbox: Outbox, error: EngineUnavailableError): void {
    if (this.stopping && (this.isAborted || this.runs.size === 0)) {
      if (outbox.hasRuns && !this.drain.isGivenUp) this.logger.warn(`${UNWRITTEN}: ${error.message}`);
      this.turns.giveUpLost();
      return;
    }
    this.outbox = outbox.followedBy(this.outbox, error.sent);
    this.isPausing = true;
    setTimeout(() => {
      this.isPausing = false;
      this.goOn();
    }, TURN_AGAIN);
  }

  private receiveArrival({ job, ids }: Arrival): void {
    this.outbox.arrived.push(...ids);
    this.taken.add(job ? [job] : []);
    if (job) this.waitIfFree();
    // At once where nothing else is under way: somebody may be waiting for this very job.
    if (ids.length > 0 && !this.areJobsOnTheirWay) void this.turn();
  }

  /** A read that was cut off may have moved a job, or have taken it, too. */
  private findLost(lock: string): void {
    this.upkeep.findUnlocked();
    this.turns.noteLostRead(lock);
    this.makeTurn();
  }

  private waitIfFree(): void {
    if (!this.takesNone && this.slots.free > this.taken.size) this.arrivals.wait();
  }

  private begin(locked: LockedJob): void {
    const { id, taken, lock, startedAt } = locked;
    const { worker } = this.options;
    if (this.runs.wasCancelled(id, lock)) return;
    const earlier = this.runs.get(id);
    // Or more came than there is room for: a slot was taken back meanwhile, or the worker takes none any more.
    if (earlier || this.slots.free === 0 || this.takesNone) {
      return this.outbox.giveBack(new EndedRun(taken, lock, startedAt, worker), earlier ? OVERDUE_DELAY : 0);
    }
    const slot = this.slots.take();
    const current = new CurrentRun(locked, worker, slot, this.startRun(taken.job, slot));
    this.runs.add(current);
    if (this.queues.isListening(this.keys.queue)) this.queues.emitActive(current, current.run.outcome);
    current.run.outcome.then(
      (outcome) => this.finish(current, outcome),
      (error: unknown) => this.finish(current, broken(error)),
    );
  }

  private finish(current: CurrentRun, outcome: Outcome): void {
    current.endedAt = Date.now();
    if (!current.isCancelled) this.outbox.add(current, outcome, this.queues.isListening(this.keys.queue));
    const { ended } = current.run;
    current.isOverdue = ended !== undefined;
    void (ended ? ended.then(() => this.leave(current)) : this.leave(current));
    this.makeTurn();
  }

  private leave(current: CurrentRun): void {
    this.runs.delete(current);
    current.slot.release();
    this.drain.check();
  }
}
