import type { JobRules, OnConflict } from '../../lib/contracts/job.js';

export const HIGH: JobRules = { priority: 'high' };
export const LOW: JobRules = { priority: 'low' };

export type UniqueUntil = NonNullable<JobRules['unique']>['until'];

export function unique(
  until: UniqueUntil = 'finished',
  onConflict: OnConflict = 'return',
  key = 'Mail.send:ada',
): JobRules {
  return { unique: { key, until, onConflict } };
}

/** At most so many runs at a time. */
export function atMost(max: number, key = 'Mail.send:ada'): JobRules {
  return { concurrency: { key, max } };
}

/** At most so many starts in any `per` milliseconds. */
export function paced(max: number, per: number, key = 'Mail.send:ada'): JobRules {
  return { rate: { key, max, per } };
}

/** Expires in so many milliseconds. */
export function expiresIn(milliseconds: number): JobRules {
  return { expiresAt: Date.now() + milliseconds };
}

export function tagged(...tags: string[]): JobRules {
  return { tags };
}
