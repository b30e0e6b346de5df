import { cpus, totalmem } from 'node:os';
import type { Results } from '../results.js';
import type { Row } from '../rows/row.js';
import type { SystemName } from '../systems/index.js';
import { describe, judge } from '../targets.js';

/** Where and how the numbers came about. */
export interface Conditions {
  at: string;
  runs: number;
  isQuick: boolean;
  redis: string;
  /** Its version, where it was measured. */
  celery?: string;
}

/** Everything that was measured, for tools and for the repository. */
export function toJson(rows: readonly Row[], systems: readonly SystemName[], results: Results, on: Conditions): object {
  return {
    ...on,
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    targets: judge(results).map((outcome) => ({
      row: outcome.target.row,
      value: outcome.target.value,
      against: outcome.target.against,
      measured: rounded(outcome.measured),
      verdict: outcome.verdict,
      text: describe(outcome),
    })),
    rows: rows.map((row) => ({
      name: row.name,
      title: row.title,
      values: row.values.map(({ name, title, unit, better }) => ({
        name,
        title,
        unit,
        better,
        systems: Object.fromEntries(
          systems.flatMap((system) => {
            const median = results.median(row.name, system, name);
            if (median === undefined) return [];
            return [[system, { median: rounded(median), runs: results.values(row.name, system, name).map(rounded) }]];
          }),
        ),
      })),
    })),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
