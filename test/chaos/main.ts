import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format as prettify } from 'prettier';
import { Stage } from './harness/stage.js';
import { isKept } from './judge/figures.js';
import { breaches, renderSummary, renderTable, type ScenarioResult } from './judge/table.js';
import { readOptions, USAGE, type ChaosOptions } from './options.js';
import { SCENARIOS } from './scenarios/index.js';
import type { Scenario } from './scenarios/scenario.js';

// Compiled to `.build/chaos/run-<pid>/out`.
const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** For all of it, in minutes: whatever hangs, the suite does not. */
const LONGEST = 40;
const LONGEST_QUICK = 4;

/** The quick form mostly waits, so that scenarios may do so together; the full one measures each alone. */
const QUICK_LANES = 3;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

// Whatever is still under way ends with this process.
process.exit(await main());

/** Answers the exit code. */
async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options) return await runSuite(options);
    console.log(USAGE);
    return 0;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 1;
  }
}

async function runSuite(options: ChaosOptions): Promise<number> {
  const startedAt = new Date();
  const longest = options.isQuick ? LONGEST_QUICK : LONGEST;
  const timer = setTimeout(() => {
    console.error(`\nFAILED  The suite was not over within ${longest} minutes (seed ${options.seed}).`);
    process.exit(1);
  }, longest * 60_000);
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-chaos-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  console.log(`Seed ${options.seed}`);
  const { scenarios } = options;
  const results: ScenarioResult[] = [];
  const run = async (scenario: Scenario): Promise<void> => {
    results[scenarios.indexOf(scenario)] = await runScenario(scenario, options, folder);
  };
  await Promise.all([
    ...scenarios.filter(({ isLight }) => isLight).map(run),
    inLanes(
      options.isQuick ? QUICK_LANES : 1,
      scenarios.filter(({ isLight }) => !isLight),
      run,
    ),
  ]);
  clearTimeout(timer);

  console.log(`\n${renderTable(results)}\n`);
  if (options.isFull) console.log(`In short, as the README has it:\n\n${renderSummary(results)}\n`);
  await write(options, results, startedAt);
  const broken = breaches(results);
  for (const breach of broken) console.error(`FAILED  ${breach}`);
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  console.log(`${broken.length === 0 ? 'Every promise was kept' : `${broken.length} broken`}, ${seconds} s.`);
  if (broken.length > 0) console.error(`To repeat it: ${commandOf(options)}`);
  return broken.length === 0 ? 0 : 1;
}

async function runScenario(scenario: Scenario, options: ChaosOptions, folder: string): Promise<ScenarioResult> {
  const { name } = scenario;
  const startedAt = Date.now();
  const seconds = (): number => Math.round((Date.now() - startedAt) / 1_000);
  const stage = await Stage.open(name, options, join(folder, name));
  const title = scenario.title(stage);
  stage.note(title);
  try {
    const figures = await scenario.run(stage);
    const result = { name, title, seconds: seconds(), figures };
    const broken = breaches([result]);
    if (broken.length > 0) stage.tellWhatWasPrinted();
    for (const breach of broken) console.log(`FAILED  ${breach}`);
    stage.note(`${broken.length === 0 ? 'every promise was kept' : `${broken.length} broken`}, ${seconds()} s`);
    return result;
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    stage.tellWhatWasPrinted();
    stage.note(text);
    return { name, title, seconds: seconds(), figures: [], error: text };
  } finally {
    await stage.close();
  }
}

/** Does something for each of a list, so many at a time. */
async function inLanes<T>(lanes: number, list: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = list.values();
  const lane = async (): Promise<void> => {
    for (const one of rest) await work(one);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function commandOf({ isQuick, scale, seed, recovers, scenarios }: ChaosOptions): string {
  const flags = [
    ...(isQuick ? ['--quick'] : []),
    ...(scale === 1 ? [] : [`--scale ${scale}`]),
    ...(recovers ? [] : ['--no-recovery']),
    ...(scenarios.length === SCENARIOS.length ? [] : [`--only '^(${scenarios.map(({ name }) => name).join('|')})$'`]),
    `--seed ${seed}`,
  ];
  return `npm run chaos -- ${flags.join(' ')}`;
}

/** What goes into the repository is written by full runs only. */
async function write(options: ChaosOptions, results: readonly ScenarioResult[], at: Date): Promise<void> {
  const redis = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout.split(' ')[2] ?? '';
  const report = {
    at: at.toISOString(),
    command: commandOf(options),
    node: process.version,
    redis,
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    results: results.map(({ figures, ...result }) => ({
      ...result,
      figures: figures.map((figure) => ({ ...figure, isKept: isKept(figure) })),
    })),
  };
  const json = await prettify(JSON.stringify(report), { parser: 'json', printWidth: 120 });
  const folder = options.isFull ? join(root, 'test/chaos/results') : join(root, '.build/chaos');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), json);
  console.log(`Written: ${join(folder, 'results.json')}`);
}
