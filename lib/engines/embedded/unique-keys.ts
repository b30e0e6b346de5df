import type { Clock } from '../../contracts/clock.js';
import type { JobRules } from '../../contracts/job.js';
import type { EmbeddedJob } from './embedded-job.js';
import type { EndedState } from './ended-jobs.js';
import { nextOrder } from './line.js';
import { Timetable, type Timed } from './timetable.js';

/** Who has a key; `at` is the instant that frees it, Infinity where that is left to what the job does. */
export interface KeyHolder extends Timed {
  readonly key: string;
  readonly id: string;
  /** Absent when the job is forgotten and its key is not yet free. */
  job: EmbeddedJob | undefined;
}

/** The unique keys of one queue. */
export class UniqueKeys {
  private readonly holders = new Map<string, KeyHolder>();
  private readonly timetable: Timetable<KeyHolder>;

  constructor(private readonly clock: Clock) {
    this.timetable = new Timetable(clock, (holder) => this.free(holder));
  }

  holderOf(key: string): KeyHolder | undefined {
    this.timetable.run();
    return this.holders.get(key);
  }

  has(job: EmbeddedJob): boolean {
    const key = job.rules?.unique?.key;
    return key !== undefined && this.holderOf(key)?.job === job;
  }

  /** Whether a job can have its key, or has it already, or wants none. */
  isFreeFor(job: EmbeddedJob): boolean {
    const key = job.rules?.unique?.key;
    if (key === undefined) return true;
    const holder = this.holderOf(key);
    return holder === undefined || holder.job === job;
  }

  /** @param until the instant that frees a key which is held for a time; absent: that time from now */
  take(job: EmbeddedJob, until?: number): void {
    const unique = job.rules?.unique;
    if (!unique) return;
    const former = this.holders.get(unique.key);
    if (former) this.free(former);
    const holder: KeyHolder = { key: unique.key, id: job.id, job, at: Infinity, order: nextOrder(), place: -1 };
    this.holders.set(unique.key, holder);
    if (typeof unique.until === 'number') this.timetable.add(holder, until ?? this.clock.now() + unique.until);
  }

  /** Frees the key of a job that has one. Answers the instant that would have freed it. */
  release(job: EmbeddedJob, rules = job.rules): number | undefined {
    const holder = rules?.unique && this.holders.get(rules.unique.key);
    if (!holder || holder.job !== job) return undefined;
    this.free(holder);
    return holder.at;
  }

  started(job: EmbeddedJob): void {
    if (job.rules?.unique?.until === 'started') this.release(job);
  }

  ended(job: EmbeddedJob, state: EndedState): void {
    const isHeldForTime = typeof job.rules?.unique?.until === 'number';
    if (isHeldForTime && (state === 'completed' || state === 'failed')) return;
    this.release(job);
  }

  /** The start of a job was none after all, and its rules may have changed. */
  declined(job: EmbeddedJob, former: JobRules | undefined): void {
    const unique = job.rules?.unique;
    const isOther = unique?.key !== former?.unique?.key || unique?.until !== former?.unique?.until;
    if (isOther) this.release(job, former);
    if (!unique || this.holderOf(unique.key)) return;
    if (isOther || (unique.until === 'started' && job.starts === 0)) this.take(job);
  }

  forgotten(job: EmbeddedJob): void {
    const key = job.rules?.unique?.key;
    const holder = key === undefined ? undefined : this.holders.get(key);
    if (holder?.job === job) holder.job = undefined;
  }

  close(): void {
    this.timetable.close();
  }

  private free(holder: KeyHolder): void {
    this.holders.delete(holder.key);
    this.timetable.remove(holder);
  }
}
