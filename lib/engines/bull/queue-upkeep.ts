import type { FailedRetention } from '../../contracts/outcome.js';
import type { BullQueues } from './bull-queues.js';
import type { QueueKeys } from './queue-keys.js';
import { QueueTidying, sweepQueue } from './queue-sweep.js';
import type { RedisConnections } from './redis-connections.js';
import { runScript } from './scripts.js';

/** Longest time between two looks at the delayed jobs, in ms: a notice of an earlier one may be missed. */
const PROMOTE_AT_LEAST = 5_000;

/** Time between two looks for jobs whose time is over, in ms. */
const SWEEP_EVERY = 5_000;

/** Wait after a failed renewal of locks, in ms. */
const RENEW_AGAIN = 1_000;

/** Times in ms. */
export interface UpkeepTimes {
  lockDuration: number;
  /** 0: jobs of dead workers are not looked for. */
  stalledInterval: number;
  /** Of cancelled and expired jobs. */
  keepStopped: FailedRetention;
}

/** Time between the two checks that find a job which nobody has locked, in ms. */
const CHECK_AGAIN = 500;

/** A job's lock, and when it was taken, in ms since the epoch. */
export type HeldLock = readonly [id: string, lock: string, takenAt: number];

/** What upkeep needs of the worker. */
export interface LockHolder {
  locks(): Iterable<HeldLock>;
  /** @param isCancelled the job was cancelled, and the notice of it has not come (yet) */
  onLost(id: string, isCancelled: boolean): void;
}

/** What a worker does for its queue beside running jobs: delayed jobs, its own locks, jobs of dead workers, retention. */
export class QueueUpkeep {
  private promoteTimer: NodeJS.Timeout | undefined;
  private nextPromotion = Number.POSITIVE_INFINITY;
  private renewTimer: NodeJS.Timeout | undefined;
  private recoverTimer: NodeJS.Timeout | undefined;
  private sweepTimer: NodeJS.Timeout | undefined;
  private isSecondCheckDue = false;
  private readonly tidying: QueueTidying;
  private renewedAt = 0;
  private isStopped = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly queues: BullQueues,
    private readonly keys: QueueKeys,
    private readonly times: UpkeepTimes,
    private readonly holder: LockHolder,
  ) {
    this.tidying = new QueueTidying(connections, keys);
  }

  start(): void {
    void this.promote();
    void this.recover(true);
    void this.sweep();
    this.renewLater(this.times.lockDuration / 2);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.promoteTimer);
    clearTimeout(this.renewTimer);
    clearTimeout(this.recoverTimer);
    clearTimeout(this.sweepTimer);
  }

  noteDelayed(due: number): void {
    if (due < this.nextPromotion) this.promoteAt(due);
  }

  private promoteAt(due: number): void {
    if (this.isStopped) return;
    clearTimeout(this.promoteTimer);
    this.nextPromotion = due;
    const wait = Math.min(Math.max(0, due - Date.now()), PROMOTE_AT_LEAST);
    this.promoteTimer = setTimeout(() => void this.promote(), wait);
  }

  private async promote(): Promise<void> {
    const { base } = this.keys;
    // Until the answer is there, every notice of a delayed job counts as news.
    this.nextPromotion = Number.POSITIVE_INFINITY;
    try {
      const next = await this.connections.runInBackground((client) =>
        runScript<string>(client, 'promote', `${base}delayed`, [base, Date.now(), this.queues.token]),
      );
      // Empty where nothing is delayed; no number where something else than a time stands there.
      const due = /^\d+$/.test(next) ? Number(next) : Number.POSITIVE_INFINITY;
      if (due <= this.nextPromotion) this.promoteAt(due);
    } catch {
      this.promoteAt(Date.now() + PROMOTE_AT_LEAST);
    }
  }

  private renewLater(wait: number): void {
    if (!this.isStopped) this.renewTimer = setTimeout(() => void this.renew(), wait);
  }

  /** Looks at everything now: notices may have been missed. */
  catchUp(): void {
    this.promoteAt(Date.now());
    clearTimeout(this.renewTimer);
    this.renewLater(0);
  }

  private async renew(): Promise<void> {
    const { base } = this.keys;
    const { lockDuration } = this.times;
    const locks = [...this.holder.locks()];
    const renewedAt = Date.now();
    let wait = lockDuration / 2;
    try {
      if (locks.length > 0) {
        const values = locks.flatMap(([id, lock]) => [id, lock]);
        const lost = await this.connections.runInBackground((client) =>
          runScript<(string | number)[]>(client, 'extendLocks', `${base}active`, [base, lockDuration, ...values]),
        );
        this.renewedAt = renewedAt;
        for (let at = 0; at < lost.length; at += 2) this.holder.onLost(String(lost[at]), lost[at + 1] === 1);
      }
    } catch {
      // Soon enough to try several times before the locks end.
      wait = Math.min(RENEW_AGAIN, lockDuration / 10);
      this.giveUpEnded(locks);
    }
    this.renewLater(wait);
  }

  /** Looks for a job that was moved by a read whose reply was lost: where it is in `active`, it takes two checks to be sure. */
  findUnlocked(): void {
    this.isSecondCheckDue = true;
    void this.recover(true);
  }

  /** Nobody can say so at present, but these locks have ended: another worker may run their jobs. */
  private giveUpEnded(locks: readonly HeldLock[]): void {
    const end = Date.now() - this.times.lockDuration;
    for (const [id, , takenAt] of locks) if (Math.max(takenAt, this.renewedAt) < end) this.holder.onLost(id, false);
  }

  private async recover(isFirst: boolean): Promise<void> {
    const { stalledInterval } = this.times;
    clearTimeout(this.recoverTimer);
    if (stalledInterval === 0) return;
    const { base, queue } = this.keys;
    let isDone = false;
    try {
      // Half the interval, so that a check is never left out because another worker's was only nearly as long ago.
      const args = [base, Date.now(), isFirst ? '1' : '0', Math.ceil(stalledInterval / 2)];
      const ids = await this.connections.runInBackground((client) =>
        runScript<string[]>(client, 'recover', `${base}active`, args),
      );
      for (const id of ids) this.queues.emitStalled(queue, id);
      isDone = true;
    } catch {
      // The next check makes up for it.
    }
    if (this.isStopped) return;
    clearTimeout(this.recoverTimer);
    const isSecond = isDone && this.isSecondCheckDue;
    if (isDone) this.isSecondCheckDue = false;
    const again = isSecond ? CHECK_AGAIN : isDone ? stalledInterval : RENEW_AGAIN;
    this.recoverTimer = setTimeout(
      () => void this.recover(isSecond || (isFirst && !isDone)),
      Math.min(again, stalledInterval),
    );
  }

  private async sweep(): Promise<void> {
    try {
      await sweepQueue(this.connections, this.keys, this.times.keepStopped, () => !this.isStopped);
      await this.tidying.goOn();
    } catch {
      // The next one makes up for it.
    }
    if (!this.isStopped) this.sweepTimer = setTimeout(() => void this.sweep(), SWEEP_EVERY);
  }
}
