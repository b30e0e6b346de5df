import type { Results } from './results.js';
import { SYSTEM_TITLES, type SystemName } from './systems/index.js';

/** What ours has to reach in one value of one row; DESIGN.md has the same list. */
export interface Target {
  row: string;
  value: string;
  /** The value is divided by this system's; absent: it stands for itself. */
  against?: SystemName;
  /** Whether more is better. */
  atLeast?: boolean;
  floor?: number;
  goal?: number;
}

export const TARGETS: readonly Target[] = [
  { row: 'enqueue-parallel', value: 'rate', against: 'nest-bullmq', atLeast: true, floor: 2, goal: 4 },
  { row: 'enqueue-parallel', value: 'rate', against: 'bee', atLeast: true, goal: 1.3 },
  { row: 'enqueue-bulk', value: 'rate', against: 'bullmq', atLeast: true, floor: 2, goal: 4 },
  { row: 'enqueue-bulk', value: 'rate', against: 'bee', atLeast: true, goal: 1.5 },
  { row: 'noop-50', value: 'rate', against: 'nest-bullmq', atLeast: true, floor: 1.5, goal: 3 },
  { row: 'noop-50', value: 'rate', against: 'bull', atLeast: true, floor: 1.5, goal: 3 },
  { row: 'noop-50', value: 'rate', against: 'bee', atLeast: true, goal: 1.5 },
  { row: 'io-50', value: 'cpu', against: 'bull', floor: 0.6, goal: 0.25 },
  { row: 'pickup-idle', value: 'p50', against: 'bull', floor: 1.1, goal: 0.9 },
  { row: 'pickup-idle', value: 'p99', against: 'bull', floor: 1.1, goal: 0.9 },
  { row: 'round-trip', value: 'p50', against: 'bull', floor: 1.1, goal: 0.8 },
  { row: 'round-trip', value: 'max', floor: 100, goal: 50 },
  { row: 'redis-cpu', value: 'both', against: 'bull', floor: 1, goal: 0.5 },
  { row: 'redis-memory', value: 'bytes', against: 'bull', floor: 1.15, goal: 1 },
  { row: 'backlog', value: 'enqueue', floor: 1.3, goal: 1.1 },
  { row: 'backlog', value: 'work', floor: 1.3, goal: 1.1 },
  { row: 'backlog', value: 'count', floor: 1.3, goal: 1.1 },
  { row: 'listing', value: 'list', floor: 1.3, goal: 1.1 },
  { row: 'priority', value: 'full', floor: 1.2, goal: 1.05 },
  { row: 'boot', value: 'added', floor: 100, goal: 50 },
  { row: 'embedded', value: 'rate', atLeast: true, floor: 100_000, goal: 300_000 },
];

export type Verdict = 'goal' | 'floor' | 'missed';

/** A target and how it went. */
export interface Outcome {
  target: Target;
  measured: number;
  verdict: Verdict;
}

export function judge(results: Results): Outcome[] {
  return TARGETS.flatMap((target) => {
    const { row, value, against } = target;
    const measured = against ? results.ratio(row, value, 'ours', against) : results.median(row, 'ours', value);
    return measured === undefined ? [] : [{ target, measured, verdict: verdictOf(target, measured) }];
  });
}

/** One line, such as `3.20 × Bull: floor 1.5 met, goal 3 met`. */
export function describe({ target, measured }: Outcome): string {
  const { against, floor, goal } = target;
  const size = against ? `${measured.toFixed(2)} × ${SYSTEM_TITLES[against]}` : format(measured);
  const limits = Object.entries({ floor, goal }).flatMap(([name, limit]) =>
    limit === undefined ? [] : [`${name} ${format(limit)} ${reaches(target, measured, limit) ? 'met' : 'MISSED'}`],
  );
  return `${size}: ${limits.join(', ')}`;
}

function verdictOf(target: Target, measured: number): Verdict {
  if (target.goal === undefined || reaches(target, measured, target.goal)) return 'goal';
  return target.floor === undefined || reaches(target, measured, target.floor) ? 'floor' : 'missed';
}

function reaches({ atLeast }: Target, measured: number, limit: number): boolean {
  return atLeast ? measured >= limit : measured <= limit;
}

/** Three digits that count, whatever the size. */
export function format(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
