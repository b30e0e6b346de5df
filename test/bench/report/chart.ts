import type { Line, Results } from '../results.js';
import { linesOf } from '../results.js';
import type { Row } from '../rows/row.js';
import { SYSTEM_TITLES, type SystemName } from '../systems/index.js';
import { format } from '../targets.js';
import { NOTHING, titleOf } from './table.js';

/** The values worth a picture: row and value. */
const CHARTED = [
  'enqueue-parallel rate',
  'enqueue-bulk rate',
  'noop-50 rate',
  'io-50 cpu',
  'pickup-idle p50',
  'round-trip p50',
  'redis-cpu both',
];

const WIDTH = 860;
const LABEL = 130;
const BAR = 15;
const GAP = 5;
const TITLE = 34;
const MARGIN = 24;
const LONGEST = WIDTH - LABEL - 2 * MARGIN - 90;

/** Colours that keep their contrast on white and on near-black. */
const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-size: 13px; font-weight: 600; }
  .hint { fill: #59636e; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0969da; }
  text.ours { fill: #1f2328; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text, text.ours { fill: #e6edf3; }
    .hint { fill: #9198a1; }
    .bar { fill: #57606a; }
    .ours { fill: #4493f8; }
  }`;

/** Horizontal bars, one group per value, as an SVG that follows the reader's light or dark scheme. */
export function renderChart(rows: readonly Row[], systems: readonly SystemName[], results: Results): string {
  const lines = linesOf(rows).filter(({ row, value }) => CHARTED.includes(`${row.name} ${value.name}`));
  const parts: string[] = [];
  let y = MARGIN;
  for (const line of lines) {
    const bars = barsOf(line, systems, results);
    if (bars.every((bar) => bar.value === undefined)) continue;
    parts.push(renderGroup(line, bars, y));
    y += TITLE + bars.length * (BAR + GAP) + GAP;
  }
  const height = y + MARGIN - GAP;
  const others = systems.filter((system) => system !== 'ours').map((system) => SYSTEM_TITLES[system]);
  const label = `nestjs-tasks beside ${others.join(', ')} on the same Redis`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}">`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Bar {
  system: SystemName;
  /** Undefined where the row was not run with this system. */
  value: number | undefined;
}

function barsOf({ row, value }: Line, systems: readonly SystemName[], results: Results): Bar[] {
  return systems.map((system) => ({ system, value: results.median(row.name, system, value.name) }));
}

function renderGroup(line: Line, bars: readonly Bar[], y: number): string {
  const { unit, better } = line.value;
  const most = Math.max(...bars.map((bar) => bar.value ?? 0));
  const hint = `${unit}, ${better === 'higher' ? 'more' : 'less'} is better`;
  const title = `<text class="title" x="${MARGIN}" y="${y + 14}">${titleOf(line)} <tspan class="hint" font-weight="400">${hint}</tspan></text>`;
  return [title, ...bars.map((bar, index) => renderBar(bar, most, y + TITLE - 8 + index * (BAR + GAP)))].join('\n');
}

function renderBar({ system, value }: Bar, most: number, y: number): string {
  const width = value === undefined ? 0 : Math.max(1, Math.round((value / most) * LONGEST));
  const x = MARGIN + LABEL;
  const kind = system === 'ours' ? ' class="ours"' : '';
  return [
    `<text${kind} x="${x - 8}" y="${y + 12}" text-anchor="end">${SYSTEM_TITLES[system]}</text>`,
    `<rect class="${system === 'ours' ? 'ours' : 'bar'}" x="${x}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
    `<text${kind} x="${x + width + 6}" y="${y + 12}">${value === undefined ? NOTHING : format(value)}</text>`,
  ].join('');
}
