import type { Ledger } from './ledger.js';

/** How the ticks of one schedule came out. */
export interface TickCounts {
  /** Ticks that were due. */
  due: number;
  /** Due, and no run of theirs was done; as ISO text. */
  missing: string[];
  /** More than one job was made of them. */
  doubled: string[];
  /** Made though no tick was due then. */
  unknown: string[];
  /** How long after its tick the first run of each began, in ms. */
  late: number[];
}

/**
 * Compares the ticks that ran with those that were due from `from` to `to`, both included and multiples of `every`. The
 * key of a start is its tick, in ms since the epoch.
 */
export function judgeTicks({ starts, ends }: Ledger, from: number, to: number, every: number): TickCounts {
  const done = new Set(ends.filter(({ ending }) => ending === 'done').map(({ id }) => id));
  const jobs = new Map<number, Set<string>>();
  const begun = new Map<number, number>();
  for (const { key, id, at } of starts) {
    const tick = Number(key);
    jobs.set(tick, (jobs.get(tick) ?? new Set()).add(id));
    begun.set(tick, Math.min(begun.get(tick) ?? Number.POSITIVE_INFINITY, at));
  }
  const due = Array.from({ length: (to - from) / every + 1 }, (_, index) => from + index * every);
  const seen = [...jobs.keys()];
  return {
    due: due.length,
    missing: due.filter((tick) => ![...(jobs.get(tick) ?? [])].some((id) => done.has(id))).map(text),
    doubled: seen.filter((tick) => jobs.get(tick)!.size > 1).map(text),
    unknown: seen.filter((tick) => !(tick % every === 0)).map(text),
    late: due.filter((tick) => begun.has(tick)).map((tick) => begun.get(tick)! - tick),
  };
}

function text(tick: number): string {
  return Number.isFinite(tick) ? new Date(tick).toISOString() : String(tick);
}
