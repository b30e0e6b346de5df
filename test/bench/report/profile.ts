import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Span } from '../clock.js';

const SHOWN = 25;

/** What Node writes with `--cpu-prof`, as far as it is read here. */
interface CpuProfile {
  startTime: number;
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** The functions that take most time themselves while a stopwatch ran, or all the time where none did; idle time aside. */
export function topFunctions(folder: string, spans: readonly Span[]): string {
  const times = new Map<string, number>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
    addProfile(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, spans, times);
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => `  ${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`)
    .join('\n');
}

function addProfile(profile: CpuProfile, spans: readonly Span[], times: Map<string, number>): void {
  const { nodes, samples, timeDeltas } = profile;
  const isMeasured = (at: number): boolean =>
    spans.length === 0 || spans.some(({ from, to }) => at >= from && at <= to);
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  let at = profile.startTime;
  samples.forEach((id, index) => {
    at += timeDeltas[index];
    const name = names.get(id) ?? '?';
    if (isMeasured(at) && name !== '(idle)' && name !== '(program)')
      times.set(name, (times.get(name) ?? 0) + timeDeltas[index]);
  });
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName || '(anonymous)';
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\//, '');
  return `${functionName || '(anonymous)'}  ${place}:${lineNumber + 1}`;
}
