import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../clock.js';
import type { Stage } from '../stage.js';
import type { Row, ValueSpec } from './row.js';

const MOST_PAIRS = 5;
const APP = fileURLToPath(new URL('../boot-app.js', import.meta.url));

const run = promisify(execFile);

/** `jobs` is the number of tasks here. */
export const bootRow: Row = {
  name: 'boot',
  title: 'boot with 1,000 tasks',
  values: [
    value('added', 'added'),
    value('with', 'with the module'),
    value('without', 'without'),
    value('import', 'import'),
  ],
  jobs: 1_000,
  quickJobs: 100,
  systems: ['ours'],
  measure,
};

function value(name: string, title: string): ValueSpec {
  return { name, title, unit: 'ms', better: 'lower' };
}

interface Boot {
  boot: number;
  import: number;
}

/** Each boot in a process of its own, with and without in turn. */
async function measure({ jobs }: Stage): Promise<Record<string, number>> {
  const withModule: Boot[] = [];
  const without: Boot[] = [];
  const pairs = Math.min(MOST_PAIRS, Math.ceil(jobs / 200));
  for (let pair = 0; pair < pairs; pair++) {
    withModule.push(await boot('with', jobs));
    without.push(await boot('without', jobs));
  }
  const bootTime = (boots: readonly Boot[]): number => median(boots.map((one) => one.boot));
  return {
    added: median(withModule.map((one, pair) => one.boot - without[pair].boot)),
    with: bootTime(withModule),
    without: bootTime(without),
    import: median(withModule.map((one) => one.import)),
  };
}

async function boot(variant: 'with' | 'without', tasks: number): Promise<Boot> {
  const { stdout } = await run(process.execPath, [APP, variant, `${tasks}`], { timeout: 20_000 });
  return JSON.parse(stdout) as Boot;
}
