import type { Clock } from '../../contracts/clock.js';
import type { JobRules } from '../../contracts/job.js';
import { copyRules, type EmbeddedJob } from './embedded-job.js';
import type { EndedState } from './ended-jobs.js';
import { Expiry } from './expiry.js';
import { Tags } from './tags.js';
import { UniqueKeys } from './unique-keys.js';

/** What holds for the jobs of one queue that have rules, limits aside: tags, expiry and unique keys. */
export class RuleBook {
  readonly tags = new Tags<EmbeddedJob>();
  readonly expiry: Expiry;
  readonly uniqueKeys: UniqueKeys;

  /** @param expire called at the instant from which a job must not start any more, whatever it is doing then */
  constructor(clock: Clock, expire: (job: EmbeddedJob) => void) {
    this.expiry = new Expiry(clock, expire);
    this.uniqueKeys = new UniqueKeys(clock);
  }

  /** A job is known from now on; its key is a matter of its own. */
  add(job: EmbeddedJob): void {
    this.tags.add(job);
    this.expiry.add(job);
  }

  /** A job's start was none after all, and it may go back with other rules. */
  declined(job: EmbeddedJob, rules: JobRules | undefined): void {
    const former = job.rules;
    if (rules) {
      this.drop(job);
      job.rules = copyRules(rules);
      this.add(job);
    }
    this.uniqueKeys.declined(job, former);
  }

  ended(job: EmbeddedJob, state: EndedState, predecessor: EmbeddedJob | undefined): void {
    this.expiry.remove(job);
    this.uniqueKeys.ended(job, state);
    this.handBack(predecessor);
  }

  /** A job goes away before its time. Answers the instant at which its key would have been free, if it had one. */
  remove(job: EmbeddedJob, predecessor: EmbeddedJob | undefined): number | undefined {
    this.drop(job);
    const heldUntil = this.uniqueKeys.release(job);
    this.handBack(predecessor);
    return heldUntil;
  }

  /** An ended job's time is over. */
  forget(job: EmbeddedJob): void {
    this.tags.remove(job);
    this.uniqueKeys.forgotten(job);
  }

  close(): void {
    this.expiry.close();
    this.uniqueKeys.close();
  }

  private drop(job: EmbeddedJob): void {
    this.tags.remove(job);
    this.expiry.remove(job);
  }

  /** A job that was to replace a running one is gone, so that the key is again the running one's. */
  private handBack(predecessor: EmbeddedJob | undefined): void {
    if (predecessor?.rules?.unique?.until !== 'finished') return;
    if (this.uniqueKeys.isFreeFor(predecessor)) this.uniqueKeys.take(predecessor);
  }
}
