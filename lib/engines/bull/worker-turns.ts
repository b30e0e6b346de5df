import type { Logger } from '@nestjs/common';
import type { WorkOptions } from '../../contracts/engine.js';
import type { EngineUnavailableError } from '../../contracts/errors.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { LostOutcomes } from './lost-outcomes.js';
import type { Outbox } from './outbox.js';
import type { EndedRun } from './outcome-arguments.js';
import type { QueueKeys } from './queue-keys.js';
import { WORK_TIMEOUT, type RedisConnections } from './redis-connections.js';
import { findRefusal } from './refusals.js';
import { keepArguments, runScript, type ScriptArgument } from './scripts.js';
import { readTakenJob, TAKEN_FIELDS, type TakenJob, type TakenValue } from './stored-job.js';

/** Longest wait of outcomes for a connection before they are kept for the next turn, in ms. */
const PATIENCE = 2_000;

/** Locks of unanswered turns that are remembered. */
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

/** What turns need to know of their worker; times in ms. */
export interface WorkingSelf extends Pick<WorkOptions, 'worker' | 'suspectFrom'> {
  token: string;
  lockDuration: number;
  keepStopped: FailedRetention;
  lostOutcomes: LostOutcomes;
}

/** One worker's calls of `turn.lua`, and what makes up for replies that were lost. */
export class WorkerTurns {
  private count = 0;
  /** Locks of turns that were sent and not answered: they may have taken jobs. */
  private unanswered: string[] = [];
  private failure: string | undefined;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: QueueKeys,
    private readonly self: WorkingSelf,
    private readonly logger: Logger,
  ) {}

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
  async make(wanted: number, arrived: readonly string[], ended: Outbox, mayTakeLow: boolean): Promise<TakenJobs> {
    const { token, worker, suspectFrom = Number.MAX_SAFE_INTEGER, lockDuration, keepStopped } = this.self;
    const { base } = this.keys;
    const now = Date.now();
    // A lock's value is used for one turn only, so that a run whose job was given away cannot pass for its successor.
    const lock = `${token}:${++this.count}`;
    const keep = keepArguments(keepStopped);
    const values: ScriptArgument[] = [base, now, lock, lockDuration, worker, ...keep, mayTakeLow ? '1' : '0'];
    values.push(suspectFrom, wanted, arrived.length, ...arrived);
    for (const value of ended.arguments) values.push(value);
    // To take jobs, nobody waits for Redis: a turn that did would hold up a stop.
    const patience = ended.arguments.length > 0 || arrived.length > 0 ? PATIENCE : 0;
    const [lost, taken, more] = await this.connections
      .run(
        (client) => runScript<[string[], TakenValue[], number]>(client, 'turn', `${base}wait`, values),
        WORK_TIMEOUT,
        patience,
      )
      .catch((error: EngineUnavailableError) => {
        this.noteFailure(error, lock);
        throw error;
      });
    this.failure = undefined;
    if (!ended.isRepeated) this.self.lostOutcomes.note(lost);
    if (!ended.isRepeated && lost.length > 0) {
      ended.events = ended.events.filter(({ run }) => !lost.includes(run.job.id));
    }
    const jobs: LockedJob[] = [];
    for (let at = 0; at < taken.length; at += TAKEN_FIELDS) jobs.push(this.read(taken, at, lock, now));
    if (this.unanswered.length > 0) jobs.push(...(await this.reclaim()));
    return { jobs, mayHaveMore: more === 1 };
  }

  private noteFailure({ message, sent, cause }: EngineUnavailableError, lock: string): void {
    // A script that fails half-way has taken jobs, too.
    const isBroken = cause instanceof Error && cause.name === 'ReplyError' && !findRefusal(cause.message);
    if (!sent && !isBroken) return;
    // Locks end by age, so that those of long ago are of no use.
    if (this.unanswered.push(lock) > MOST_UNANSWERED) this.unanswered.shift();
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
    const isNoted = await this.connections.run(
      (client) => runScript<number>(client, 'begin', `${base}active`, values),
      WORK_TIMEOUT,
    );
    if (isNoted === 1) run.startedAt = now;
    return isNoted === 1;
  }

  /** The jobs that unanswered turns took: nobody runs them, and their locks would only end by age. */
  private async reclaim(): Promise<LockedJob[]> {
    const locks = this.unanswered;
    this.unanswered = [];
    const { base } = this.keys;
    try {
      const values = await this.connections.run(
        (client) => runScript<TakenValue[]>(client, 'reclaim', `${base}active`, [base, ...locks]),
        WORK_TIMEOUT,
      );
      const jobs: LockedJob[] = [];
      for (let at = 0; at < values.length; at += 1 + TAKEN_FIELDS) {
        jobs.push(this.read(values, at + 1, String(values[at]), Date.now()));
      }
      return jobs;
    } catch {
      this.unanswered.push(...locks);
      return [];
    }
  }

  private read(values: readonly TakenValue[], at: number, lock: string, startedAt: number): LockedJob {
    return new LockedJob(readTakenJob(this.keys.queue, values, at), lock, startedAt);
  }
}
