import { parseArgs } from 'node:util';
import { ROWS } from './rows/index.js';
import type { Row } from './rows/row.js';
import { SYSTEM_NAMES, type SystemName } from './systems/index.js';

/** What the command line asks for. */
export interface BenchOptions {
  rows: readonly Row[];
  systems: readonly SystemName[];
  runs: number;
  isQuick: boolean;
  /** Ours runs under the CPU profiler. */
  isProfiled: boolean;
  /** Nothing is left out, so that the outcome may go into the repository. */
  isFull: boolean;
}

export const USAGE = `npm run bench -- [options]
  --quick             few jobs, one run: a smoke test
  --only <regex>      rows whose name matches
  --systems <a,b>     of ${SYSTEM_NAMES.join(', ')}
  --runs <n>          runs of each row with each system (5)
  --profile           profile ours, and print where its time goes

Rows: ${ROWS.map((row) => row.name).join(', ')}`;

/** @throws Error saying what is wrong with the arguments; undefined: help is asked for */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      systems: { type: 'string' },
      runs: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const systems = values.systems === undefined ? SYSTEM_NAMES : values.systems.split(',').map(readSystem);
  const only = values.only === undefined ? /./ : new RegExp(values.only);
  const rows = ROWS.filter((row) => only.test(row.name));
  if (rows.length === 0) throw new Error(`No row matches ${String(only)}.`);
  const runs = Number(values.runs ?? (values.quick ? 1 : 5));
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`--runs is ${values.runs}; give a number from 1 up.`);
  return {
    rows,
    systems,
    runs,
    isQuick: values.quick,
    isProfiled: values.profile,
    isFull: !values.quick && !values.profile && !values.only && !values.systems,
  };
}

function readSystem(name: string): SystemName {
  const known = SYSTEM_NAMES.find((one) => one === name);
  if (!known) throw new Error(`There is no system '${name}'. There are: ${SYSTEM_NAMES.join(', ')}.`);
  return known;
}
