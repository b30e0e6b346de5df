import { isKept, type Figure, type Promised } from './figures.js';

/** What one scenario measured; `error`: it could not be carried out. */
export interface ScenarioResult {
  name: string;
  title: string;
  seconds: number;
  figures: readonly Figure[];
  error?: string;
}

/** One table of every figure, as Markdown that prettier leaves alone. */
export function renderTable(results: readonly ScenarioResult[]): string {
  const rows = [['what happens', 'figure', 'measured', 'promised', '']];
  for (const { title, figures, error } of results) {
    figures.forEach((figure, index) => {
      const { name, promise } = figure;
      const verdict = promise ? (isKept(figure) ? 'kept' : '**broken**') : '';
      rows.push([
        index === 0 ? title : '',
        name,
        measured(figure),
        promise ? promised(promise, figure.unit) : '',
        verdict,
      ]);
    });
    if (error !== undefined) rows.push([title, 'could not be carried out', '–', '', '**broken**']);
  }
  return align(rows);
}

/** Every broken promise in a sentence of its own; none: all were kept. */
export function breaches(results: readonly ScenarioResult[]): string[] {
  return results.flatMap(({ name, figures, error }) => [
    ...figures
      .filter((figure) => !isKept(figure))
      .map(
        (figure) => `${name}: ${figure.name}: ${measured(figure)}, promised ${promised(figure.promise!, figure.unit)}`,
      ),
    ...(error === undefined ? [] : [`${name}: ${error}`]),
  ]);
}

function measured({ value, unit }: Figure): string {
  return withUnit(format(value), unit);
}

function promised({ most, least }: Promised, unit: string): string {
  if (most === 0) return withUnit('0', unit);
  if (most !== undefined && most === least) return withUnit(format(most), unit);
  const limits = [
    ...(least === undefined ? [] : [`≥ ${withUnit(format(least), unit)}`]),
    ...(most === undefined ? [] : [`≤ ${withUnit(format(most), unit)}`]),
  ];
  return limits.join(', ');
}

function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text} ${unit}`;
}

function format(value: number): string {
  const text = value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 1 });
  return text === '-0' ? '0' : text;
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((cells) => cells[column].length)));
  // The numbers stand at the right.
  const isNumber = (column: number): boolean => column === 2 || column === 3;
  const lines = rows.map((cells) =>
    row(cells.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))),
  );
  const rule = row(widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))));
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
