import type { Delivery } from './delivery.js';

/** One measured number, beside what is promised of it. */
export interface Figure {
  name: string;
  value: number;
  /** Empty: a count. */
  unit: string;
  /** What the number may be; absent: nothing is promised of it. */
  promise?: Promised;
  /** What it is called in the summary, which has one line per scenario; absent: it is left out there. */
  summary?: string;
}

/** Figures that have a column of their own in the summary. */
export const ACKNOWLEDGED = 'acknowledged enqueues';
export const LOST = 'of them lost';
export const REPEATED = 'ran more than once';

export interface Promised {
  most?: number;
  least?: number;
  /** By how much `most` may be passed before it counts as broken: the suite's own share of a measured time. */
  margin?: number;
}

/** Nothing of the kind may happen. */
export const NEVER: Promised = { most: 0 };

/** A number that is not there keeps no promise. */
export function isKept({ value, promise }: Figure): boolean {
  if (!promise) return true;
  const { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY, margin = 0 } = promise;
  return value <= most + margin && value >= least;
}

/** The figures of every scenario that enqueues and works. */
export function deliveryFigures(delivery: Delivery): Figure[] {
  const { acknowledged, lost, repeated, unrecorded, unsentRan, unknown, overcounted, unfinished } = delivery;
  return [
    { name: ACKNOWLEDGED, value: acknowledged, unit: '', promise: { least: 1 } },
    count(LOST, lost, NEVER),
    count(REPEATED, repeated),
    count('of them without a run on record for each', unrecorded, NEVER),
    count('ran though nobody enqueued them', [...unsentRan, ...unknown], NEVER),
    count('used an attempt for it', overcounted, NEVER),
    count('not completed at the end', unfinished, NEVER),
  ];
}

export function count(name: string, list: { length: number }, promise?: Promised): Figure {
  return { name, value: list.length, unit: '', ...(promise && { promise }) };
}

/** The smallest value that at least this share of the values does not exceed; 0 where there are none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}
