import { linesOf, type Line, type Results } from '../results.js';
import type { Row } from '../rows/row.js';
import { SYSTEM_TITLES, type SystemName } from '../systems/index.js';
import { describe, format, judge } from '../targets.js';

/** Stands where a row was not run with a system. */
export const NOTHING = '–';

/** Rows × systems, with ours beside its targets in the last column. */
export function renderTable(rows: readonly Row[], systems: readonly SystemName[], results: Results): string {
  const outcomes = judge(results);
  const table = [['', '', ...systems.map((system) => SYSTEM_TITLES[system]), 'ours beside its targets']];
  for (const line of linesOf(rows)) {
    const { row, value } = line;
    const medians = systems.map((system) => results.median(row.name, system, value.name));
    if (medians.every((one) => one === undefined)) continue;
    const verdicts = outcomes
      .filter(({ target }) => target.row === row.name && target.value === value.name)
      .map(describe);
    const cells = medians.map((one) => (one === undefined ? NOTHING : format(one)));
    table.push([titleOf(line), value.unit, ...cells, verdicts[0] ?? '']);
    for (const more of verdicts.slice(1)) table.push(['', '', ...systems.map(() => ''), more]);
  }
  return align(table, systems.length);
}

export function titleOf({ row, value }: Line): string {
  return value.title === '' ? row.title : `${row.title} · ${value.title}`;
}

function align(table: readonly (readonly string[])[], numbers: number): string {
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => {
        const isNumber = column >= 2 && column < 2 + numbers;
        return isNumber ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
      })
      .join('  ')
      .trimEnd(),
  );
  const [head, ...rest] = lines;
  return [head, '─'.repeat(Math.max(...lines.map((line) => line.length))), ...rest].join('\n');
}
