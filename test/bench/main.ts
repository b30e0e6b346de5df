import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format as prettify } from 'prettier';
import { readOptions, USAGE, type BenchOptions } from './options.js';
import { startRedis, type BenchRedis } from './redis-server.js';
import { renderChart } from './report/chart.js';
import { toJson } from './report/json.js';
import { topFunctions } from './report/profile.js';
import { renderTable } from './report/table.js';
import { Results } from './results.js';
import type { Row } from './rows/row.js';
import type { Span } from './clock.js';
import { killChildren, runChild } from './run-child.js';
import { SYSTEM_TITLES, type SystemName } from './systems/index.js';
import { findCelery } from './systems/python.js';
import { format } from './targets.js';

// Compiled to `.build/bench/run-<pid>/out`.
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const output = join(root, '.build/bench');

/** For one run, in s. A job that is lost shows as a run that never answers. */
const TIMEOUT = 120;
const QUICK_TIMEOUT = 30;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options) process.exitCode = await bench(options);
  else console.log(USAGE);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
} finally {
  killChildren();
}

/** Answers the exit code. */
async function bench(asked: BenchOptions): Promise<number> {
  const startedAt = new Date();
  const results = new Results();
  const failures: string[] = [];
  const celery = asked.systems.includes('celery') ? findCelery() : undefined;
  const options = celery ? asked : withoutCelery(asked);
  const redis = await startRedis();
  try {
    for (const row of options.rows) await runRow(row, options, redis, results, failures);
  } finally {
    await redis.stop();
  }
  if (options.isQuick) console.log('\nFew jobs, one run: the table shows that all of it works, not how fast it is.');
  console.log(`\n${renderTable(options.rows, options.systems, results)}`);
  console.log(`\n${Math.round((Date.now() - startedAt.getTime()) / 1_000)} s, medians of ${options.runs} run(s).`);
  await write(options, results, startedAt, celery?.version);
  for (const failure of failures) console.error(`\nFAILED  ${failure}`);
  return failures.length > 0 ? 1 : 0;
}

/** All systems once, then all again: what the machine does meanwhile hits each of them alike. */
async function runRow(
  row: Row,
  options: BenchOptions,
  redis: BenchRedis,
  results: Results,
  failures: string[],
): Promise<void> {
  const systems = systemsOf(row, options);
  let spans: readonly Span[] = [];
  const runs = Math.min(options.runs, row.mostRuns ?? options.runs);
  for (let run = 1; run <= runs; run++) {
    for (const system of systems) {
      const name = `${row.name} ${run}/${runs}  ${SYSTEM_TITLES[system]}`;
      await redis.clear();
      const job = {
        row: row.name,
        system,
        jobs: jobsOf(row, system, options),
        port: redis.port,
      };
      const answer = await runChild(
        job,
        options.isQuick ? QUICK_TIMEOUT : (row.timeout ?? TIMEOUT),
        flagsOf(row, system, options),
      );
      if ('error' in answer) {
        failures.push(`${name}: ${answer.error}`);
        console.error(`${name}  FAILED  ${answer.error}`);
        results.add(row, system, undefined);
      } else {
        console.log(`${name}  ${describeValues(row, answer.values)}`);
        results.add(row, system, answer.values);
        if (system === 'ours') spans = answer.spans;
      }
    }
  }
  if (options.isProfiled && systems.includes('ours')) {
    console.log(`\nWhere ours spends its time in ${row.name}:\n${topFunctions(profileFolder(row), spans)}\n`);
  }
}

function systemsOf(row: Row, { systems, isQuick }: BenchOptions): readonly SystemName[] {
  return systems.filter((system) => {
    // None of the rows that are quick for all suits it.
    if (system === 'celery') return row.celeryJobs !== undefined;
    return (row.systems?.includes(system) ?? true) && (!isQuick || row.isQuickForAll || system === 'ours');
  });
}

function jobsOf({ jobs, quickJobs, celeryJobs }: Row, system: SystemName, { isQuick }: BenchOptions): number {
  if (isQuick) return quickJobs;
  return system === 'celery' ? (celeryJobs ?? jobs) : jobs;
}

function flagsOf(row: Row, system: SystemName, { isProfiled }: BenchOptions): readonly string[] {
  const flags = row.flags ?? [];
  if (!isProfiled || system !== 'ours') return flags;
  const folder = profileFolder(row);
  rmSync(folder, { recursive: true, force: true });
  return [...flags, '--cpu-prof', `--cpu-prof-dir=${folder}`];
}

function profileFolder(row: Row): string {
  return join(output, 'profiles', row.name);
}

function describeValues(row: Row, values: Record<string, number>): string {
  return row.values
    .filter(({ name }) => name in values)
    .map(({ name, unit }) => `${name} ${format(values[name])} ${unit}`)
    .join(', ');
}

/** What goes into the repository is written by full runs only. */
async function write(options: BenchOptions, results: Results, at: Date, celery?: string): Promise<void> {
  const { rows, systems, runs, isQuick } = options;
  const redis = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout.split(' ')[2] ?? '';
  const report = toJson(rows, systems, results, { at: at.toISOString(), runs, isQuick, redis, celery });
  const json = await prettify(JSON.stringify(report), { parser: 'json', printWidth: 120 });
  const chart = renderChart(rows, systems, results);
  const folders = [output, ...(options.isFull ? [join(root, 'test/bench/results')] : [])];
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'results.json'), json);
    writeFileSync(join(folder, 'chart.svg'), chart);
    console.log(`Written: ${join(folder, 'results.json')} and chart.svg`);
  }
}

function withoutCelery(options: BenchOptions): BenchOptions {
  if (options.systems.includes('celery')) console.log('Celery is not installed here, so it is left out.');
  return { ...options, systems: options.systems.filter((system) => system !== 'celery') };
}
