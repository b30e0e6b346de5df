import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { breaches, renderSummary, type ScenarioResult } from './judge/table.js';

/** The last full run. */
const report = JSON.parse(readFileSync(new URL('./results/results.json', import.meta.url), 'utf8')) as {
  command: string;
  results: ScenarioResult[];
};

describe('The README', () => {
  it('has the figures of the last full run', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(renderSummary(report.results));
    expect(readme).toContain(report.command);
  });

  it('has no promise in it that was broken', () => {
    expect(breaches(report.results)).toEqual([]);
  });
});
