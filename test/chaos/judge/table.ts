import { ACKNOWLEDGED, isKept, LOST, REPEATED, type Figure, type Promised } from './figures.js';

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
  return align(rows, [2, 3]);
}

/** One line per scenario, with what it comes down to. */
export function renderSummary(results: readonly ScenarioResult[]): string {
  const rows = [['what happens', 'enqueued', 'lost', 'ran again', 'and']];
  for (const { title, figures, error } of results) {
    const cell = (name: string): string => {
      const figure = figures.find((one) => one.name === name);
      return figure ? measured(figure) : '';
    };
    const rest = figures
      .filter(({ summary }) => summary !== undefined)
      .map((figure) => {
        const { summary, unit, promise } = figure;
        const limit = promise?.most ? ` (${promised({ ...promise, least: undefined }, unit)})` : '';
        return `${summary} ${measured(figure)}${limit}`;
      });
    rows.push([
      title,
      ...[ACKNOWLEDGED, LOST, REPEATED].map(cell),
      error === undefined ? rest.join(', ') : '**broken**',
    ]);
  }
  return align(rows, [1, 2, 3]);
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

/** A margin is told: what is measured may be more than `most` by it. */
function promised({ most, least, margin }: Promised, unit: string): string {
  if (most === 0) return withUnit('0', unit);
  if (most !== undefined && most === least) return withUnit(format(most), unit);
  const limits = [
    ...(least === undefined ? [] : [`≥ ${withUnit(format(least), unit)}`]),
    ...(most === undefined
      ? []
      : [`≤ ${withUnit(margin ? `${format(most)} + ${format(margin)}` : format(most), unit)}`]),
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

/** @param numbers the columns whose cells stand at the right */
function align(rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((cells) => cells[column].length)));
  const isNumber = (column: number): boolean => numbers.includes(column);
  const lines = rows.map((cells) =>
    row(cells.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))),
  );
  const rule = row(widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))));
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
