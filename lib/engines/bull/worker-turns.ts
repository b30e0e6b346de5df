import type { Logger } from '@nestjs/common';
import type { WorkOptions } from '../../contracts/engine.js';
import type { EngineUnavailableError } from '../../contracts/errors.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { LostOutcomes } from './lost-outcomes.js';
import type { Outbox } from './outbox.js';
import type { EndedRun } from './outcome-arguments.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';
import { findRefusal } from './refusals.js';
import { keepArguments, runScript, type ScriptArgument } from './scripts.js';
import { readTakenJob, TAKEN_FIELDS, type TakenJob, type TakenValue } from './stored-job.js';

/** Longest wait of outcomes for a connection before they are kept for the next turn, in ms. */
const PATIENCE = 2_000;

/** Locks of unanswered turns and reads that are remembered. */
const MOST_UNANSWERED = 200;

/** A job that this worker holds the lock of. */
export class LockedJob {
  constructor(
    readonly taken: TakenJob,
    readonly lock: string,
    /** Milliseconds since the epoch. */
    readonly startedAt: number,
  ) {}

  get id(): string {
    return this.taken.job.id;
  }
}

export interface TakenJobs {
  jobs: LockedJob[];
  /** The look for jobs was cut short, or jobs of low priority were left. */
  mayHaveMore: boolean;
}

/** What a blocking read has brought. */
export interface Arrival {
  /** It can be begun. */
  job?: LockedJob;
  /** Jobs without a lock, for the next turn to take. */
  ids: readonly string[];
}

/** What turns need to know of their worker; times in ms. */
export interface WorkingSelf extends Pick<WorkOptions, 'worker' | 'suspectFrom'> {
  token: string;
  lockDuration: number;
  keepStopped: FailedRetention;
  lostOutcomes: LostOutcomes;
}

/** One worker's ways to jobs: calls of `turn.lua`, blocking reads, and what makes up for replies that were lost. */
export class WorkerTurns {
  private count = 0;
  /** Locks of turns and reads that were sent and not answered: they may have taken jobs. */
  private unanswered: string[] = [];
  private mustReclaim = false;
  private failure: string | undefined;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: QueueKeys,
    private readonly self: WorkingSelf,
    private readonly logger: Logger,
  ) {}

  /** A turn is needed even where there is nothing to write or to take: a read was lost, and may have taken a job. */
  get isReclaimDue(): boolean {
    return this.mustReclaim;
  }

  /** Why no turn can be made though Redis works. */
  get problem(): string | undefined {
    return this.failure;
  }

  /**
   * Writes what ended, and takes up to `wanted` jobs beside those that have arrived in `active`.
   *
   * @param mayTakeLow false while a blocking read is under way, which may hold a job that goes before the low ones
   * @throws EngineUnavailableError when it may not have happened; the same call again does no harm
   */
  async make(wanted: number, outbox: Outbox, mayTakeLow: boolean): Promise<TakenJobs> {
    const { worker, suspectFrom = Number.MAX_SAFE_INTEGER, lockDuration, keepStopped } = this.self;
    const { base } = this.keys;
    const now = Date.now();
    const lock = this.newLock();
    const sentAt = performance.now();
    const keep = keepArguments(keepStopped);
    const values: ScriptArgument[] = [base, now, lock, lockDuration, worker, ...keep, mayTakeLow ? '1' : '0'];
    values.push(suspectFrom, wanted, outbox.arrived.length, ...outbox.arrived);
    for (const value of outbox.arguments) values.push(value);
    // To take jobs, nobody waits for Redis: a turn that did would hold up a stop.
    const patience = outbox.isEmpty ? 0 : PATIENCE;
    const [lost, taken, more] = await this.connections
      .runInBackground(
        (client) => runScript<[string[], TakenValue[], number]>(client, 'turn', `${base}wait`, values),
        patience,
      )
      .catch((error: EngineUnavailableError) => {
        this.noteFailure(error, lock);
        throw error;
      });
    this.failure = undefined;
    if (!outbox.isRepeated) this.self.lostOutcomes.note(lost);
    if (!outbox.isRepeated && lost.length > 0) {
      outbox.events = outbox.events.filter(({ run }) => !lost.includes(run.job.id));
    }
    const jobs = this.unanswered.length > 0 ? await this.reclaim() : [];
    // Judged last, since the look for others may take its time, too.
    const isStale = this.isStale(sentAt);
    if (!isStale) jobs.push(...this.toLocked(taken, lock, now));
    else if (taken.length > 0) jobs.push(...(await this.reclaim([lock])));
    return { jobs, mayHaveMore: more === 1 || isStale };
  }

  /**
   * Waits for the next job of an idle queue, on a connection of its own. The script that takes the job goes out right
   * behind the read, so that the server runs it once the read has moved one, without a round trip in between.
   */
  async read(client: RedisClient, seconds: number, lock: string): Promise<Arrival> {
    const { base } = this.keys;
    const moved = client.brpoplpush(`${base}wait`, `${base}arriving`, seconds);
    const taken = this.arrive(client, lock);
    const [read, arrival] = await Promise.allSettled([moved, taken]);
    const id = read.status === 'fulfilled' ? read.value : null;
    const found = arrival.status === 'fulfilled' ? arrival.value : { ids: [] };
    if (id === null && !found.job && found.ids.length === 0) {
      const problems = [read, arrival].flatMap((answer) =>
        answer.status === 'rejected' ? [answer.reason as Error] : [],
      );
      // A lost connection says more than a refusal.
      if (problems.length > 0) throw problems.find(({ name }) => name !== 'ReplyError') ?? problems[0];
    }
    // Reads that are answered at the same moment may get each other's job. Where the script fails, the job is still there.
    if (id === null || id === found.job?.id || found.ids.includes(id)) return found;
    return { ...found, ids: [...found.ids, id] };
  }

  /** Takes what a read has moved and nobody has taken yet. */
  async arrive(client: RedisClient, lock: string): Promise<Arrival> {
    const { base } = this.keys;
    const { lockDuration, worker } = this.self;
    const values = [base, lock, lockDuration, worker];
    const sentAt = performance.now();
    const reply = await runScript<string | TakenValue[] | null>(client, 'arrive', `${base}wait`, values);
    if (reply === null) return { ids: [] };
    if (typeof reply === 'string') return { ids: [reply] };
    if (this.isStale(sentAt)) {
      this.noteLostRead(lock);
      return { ids: [] };
    }
    const [job] = this.toLocked(reply, lock, Date.now());
    return { job, ids: [] };
  }

  /** Used for one turn, read or look only, so that a run whose job was given away cannot pass for its successor. */
  newLock(): string {
    return `${this.self.token}:${++this.count}`;
  }

  private noteFailure({ message, sent, cause }: EngineUnavailableError, lock: string): void {
    // A script that fails half-way has taken jobs, too.
    const isBroken = cause instanceof Error && cause.name === 'ReplyError' && !findRefusal(cause.message);
    if (!sent && !isBroken) return;
    this.noteUnanswered(lock);
    // Outages are told by the connections; what is left is a server that works, and refuses this script.
    if (!isBroken || this.failure !== undefined) return;
    this.failure = `The worker of queue ${this.keys.queue} takes no jobs, and tries again: ${message}`;
    this.logger.error(this.failure);
  }

  /**
   * Notes the start of a run whose job was taken unbegun; false when its lock is lost.
   *
   * @throws EngineUnavailableError when it may not have happened; the same call again does no harm
   */
  async noteBegin(run: EndedRun): Promise<boolean> {
    const { base } = this.keys;
    const now = Date.now();
    const values = [base, run.job.id, run.lock, now, this.self.worker];
    const isNoted = await this.connections.runInBackground((client) =>
      runScript<number>(client, 'begin', `${base}active`, values),
    );
    if (isNoted === 1) run.startedAt = now;
    return isNoted === 1;
  }

  /** The answer to a read does not come in time: the next turn looks whether it took a job. */
  noteLostRead(lock: string): void {
    this.noteUnanswered(lock);
    this.mustReclaim = true;
  }

  /** Jobs that were lost are left for other workers, when their locks end. */
  giveUpLost(): void {
    this.mustReclaim = false;
  }

  /**
   * Whether the locks of an answer may have ended before they are renewed for the first time, so that a job may be another
   * worker's: the event loop was blocked, or the server is slow. It is asked again then.
   */
  private isStale(sentAt: number): boolean {
    return performance.now() - sentAt > this.self.lockDuration / 3;
  }

  private noteUnanswered(lock: string): void {
    // Locks end by age, so that those of long ago are of no use.
    if (this.unanswered.push(lock) > MOST_UNANSWERED) this.unanswered.shift();
  }

  /** The jobs that unanswered turns and reads took: nobody runs them, and their locks would only end by age. */
  private async reclaim(lost = this.unanswered): Promise<LockedJob[]> {
    if (lost === this.unanswered) {
      this.unanswered = [];
      this.mustReclaim = false;
    }
    const { base } = this.keys;
    const lock = this.newLock();
    const sentAt = performance.now();
    try {
      const values = [base, lock, this.self.lockDuration, ...lost];
      const taken = await this.connections.runInBackground((client) =>
        runScript<TakenValue[]>(client, 'reclaim', `${base}active`, values),
      );
      if (!this.isStale(sentAt)) return this.toLocked(taken, lock, Date.now());
      if (taken.length > 0) this.noteLostRead(lock);
    } catch {
      for (const one of [...lost, lock]) this.noteUnanswered(one);
    }
    return [];
  }

  private toLocked(values: readonly TakenValue[], lock: string, startedAt: number): LockedJob[] {
    const jobs: LockedJob[] = [];
    for (let at = 0; at < values.length; at += TAKEN_FIELDS) {
      jobs.push(new LockedJob(readTakenJob(this.keys.queue, values, at), lock, startedAt));
    }
    return jobs;
  }
}
