import { median } from './clock.js';
import type { Row, ValueSpec } from './rows/row.js';
import type { SystemName } from './systems/index.js';

/** Every value of every run: row → system → one entry per run, undefined where a run failed. */
export class Results {
  private readonly runs = new Map<string, (Record<string, number> | undefined)[]>();

  add(row: Row, system: SystemName, values: Record<string, number> | undefined): void {
    const key = keyOf(row.name, system);
    this.runs.set(key, [...(this.runs.get(key) ?? []), values]);
  }

  values(row: string, system: SystemName, value: string): number[] {
    return this.rounds(row, system, value).filter((one) => one !== undefined);
  }

  /** Undefined where the row was not run with this system. */
  median(row: string, system: SystemName, value: string): number | undefined {
    const values = this.values(row, system, value);
    return values.length === 0 ? undefined : median(values);
  }

  /** The median of the ratios of each round: what slows one round down slows both sides of its ratio. */
  ratio(row: string, value: string, system: SystemName, other: SystemName): number | undefined {
    const others = this.rounds(row, other, value);
    const ratios = this.rounds(row, system, value).flatMap((own, round) => {
      const theirs = others[round];
      return own === undefined || theirs === undefined ? [] : [own / theirs];
    });
    return ratios.length === 0 ? undefined : median(ratios);
  }

  private rounds(row: string, system: SystemName, value: string): (number | undefined)[] {
    return (this.runs.get(keyOf(row, system)) ?? []).map((values) => values?.[value]);
  }
}

/** A line of the table: one value of one row. */
export interface Line {
  row: Row;
  value: ValueSpec;
}

export function linesOf(rows: readonly Row[]): Line[] {
  return rows.flatMap((row) => row.values.map((value) => ({ row, value })));
}

function keyOf(row: string, system: SystemName): string {
  return `${row}\n${system}`;
}
