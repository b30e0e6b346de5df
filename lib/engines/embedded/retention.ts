import TinyQueue from 'tinyqueue';
import type { FailedRetention } from '../../contracts/outcome.js';
import { Alarm } from './alarm.js';
import type { EmbeddedJob } from './embedded-job.js';

/** Reading forgets what is over its time, so the timer is only about memory and need not be exact. */
const SWEEP_DELAY = 1_000;

/** The finished jobs of one queue that are still known, until their time is over. */
export class Retention {
  private byExpiry = new TinyQueue<EmbeddedJob>([], firstToExpire);
  /** Oldest first. */
  private readonly failed = new Set<EmbeddedJob>();
  /** Jobs that `byExpiry` still holds although they were forgotten for their number. */
  private forgotten = 0;
  private readonly alarm: Alarm;

  /** @param forget called for each job that is no longer kept */
  constructor(
    private readonly now: () => number,
    private readonly forget: (job: EmbeddedJob) => void,
  ) {
    this.alarm = new Alarm(now, () => this.sweep());
  }

  keepCompleted(job: EmbeddedJob, keep: number): void {
    if (keep > 0) this.keepUntil(job, job.finishedAt + keep);
    else this.forget(job);
  }

  keepFailed(job: EmbeddedJob, keep: FailedRetention): void {
    if (keep.age <= 0 || keep.count <= 0) {
      this.forget(job);
      return;
    }
    this.keepUntil(job, job.finishedAt + keep.age);
    this.failed.add(job);
    for (const oldest of this.failed) {
      if (this.failed.size <= keep.count) break;
      this.failed.delete(oldest);
      this.forget(oldest);
      this.forgotten++;
    }
    if (this.forgotten > 1_000 && this.forgotten * 2 > this.byExpiry.length) this.compact();
  }

  /** Forgets every job whose time is over. */
  sweep(): void {
    if (this.byExpiry.length === 0) return;
    const now = this.now();
    for (let next = this.byExpiry.peek(); next && next.expiresAt <= now; next = this.byExpiry.peek()) {
      this.byExpiry.pop();
      if (this.isForgotten(next)) this.forgotten--;
      else this.forget(next);
      this.failed.delete(next);
    }
    this.setAlarm();
  }

  close(): void {
    this.alarm.close();
  }

  private keepUntil(job: EmbeddedJob, expiresAt: number): void {
    job.expiresAt = expiresAt;
    this.byExpiry.push(job);
    this.setAlarm();
  }

  private setAlarm(): void {
    const next = this.byExpiry.peek();
    if (next) this.alarm.setBy(next.expiresAt + SWEEP_DELAY);
  }

  private compact(): void {
    const kept = this.byExpiry.data.filter((job) => !this.isForgotten(job));
    this.byExpiry = new TinyQueue(kept, firstToExpire);
    this.forgotten = 0;
  }

  private isForgotten(job: EmbeddedJob): boolean {
    return job.state === 'failed' && !this.failed.has(job);
  }
}

function firstToExpire(a: EmbeddedJob, b: EmbeddedJob): number {
  return a.expiresAt - b.expiresAt;
}
