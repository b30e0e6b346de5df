import type { Stage } from '../stage.js';
import type { SystemName } from '../systems/index.js';
import type { SystemSettings } from '../systems/system.js';

/** One number that a row measures. */
export interface ValueSpec {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** One experiment, done with each system in a process of its own. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly values: readonly ValueSpec[];
  readonly jobs: number;
  readonly quickJobs: number;
  /** Absent: all, save Celery. */
  readonly systems?: readonly SystemName[];
  /** Jobs of a run with Celery, which is slower by far; absent: the row does not suit it. */
  readonly celeryJobs?: number;
  /** Whether `--quick` runs the row with the other systems too, not with ours alone. */
  readonly isQuickForAll?: boolean;
  readonly settings?: Partial<Omit<SystemSettings, 'port'>>;
  /** For rows that take minutes. */
  readonly mostRuns?: number;
  /** Longest time for one run, in s. @default 120 */
  readonly timeout?: number;
  /** Flags for Node. */
  readonly flags?: readonly string[];
  measure(stage: Stage): Promise<Record<string, number>>;
}

export const RATE: ValueSpec = { name: 'rate', title: '', unit: 'jobs/s', better: 'higher' };

export const CPU: ValueSpec = { name: 'cpu', title: 'Node CPU', unit: 'µs', better: 'lower' };

export function latency(name: string, title = name): ValueSpec {
  return { name, title, unit: 'ms', better: 'lower' };
}
