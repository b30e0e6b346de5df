/** A measured stretch of time on the clock of V8's profiler, in µs. */
export interface Span {
  from: number;
  to: number;
}

/** Wall time and CPU time of this process since it was made. */
export class Stopwatch {
  /** What was measured in this process. */
  static readonly spans: Span[] = [];

  private readonly startedAt = microseconds();
  private readonly cpuAtStart = process.cpuUsage();

  /** In s. Read once, at the end. */
  get seconds(): number {
    const span = { from: this.startedAt, to: microseconds() };
    Stopwatch.spans.push(span);
    return (span.to - span.from) / 1e6;
  }

  /** In µs, all threads. */
  get cpu(): number {
    const { user, system } = process.cpuUsage(this.cpuAtStart);
    return user + system;
  }
}

function microseconds(): number {
  return Number(process.hrtime.bigint()) / 1e3;
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
