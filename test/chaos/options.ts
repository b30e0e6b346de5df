import { parseArgs } from 'node:util';
import type { StageOptions } from './harness/stage.js';
import { SCENARIOS } from './scenarios/index.js';
import type { Scenario } from './scenarios/scenario.js';

/** What the command line asks for. */
export interface ChaosOptions extends StageOptions {
  scenarios: readonly Scenario[];
  /** Nothing is left out, so that the outcome may go into the repository. */
  isFull: boolean;
}

export const USAGE = `npm run chaos -- [options]
  --quick             few jobs and short times: a smoke test
  --only <regex>      scenarios whose name matches
  --scale <n>         of the full numbers, above 0 and up to 1
  --seed <n>          repeats the choices of an earlier run
  --no-recovery       workers do not look for jobs of dead processes: shows that the suite finds what is lost

Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}`;

/** @throws Error saying what is wrong with the arguments; undefined: help is asked for */
export function readOptions(args: string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      scale: { type: 'string' },
      seed: { type: 'string' },
      'no-recovery': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const only = new RegExp(values.only ?? '');
  const scenarios = SCENARIOS.filter(({ name }) => only.test(name));
  if (scenarios.length === 0) throw new Error(`No scenario matches ${String(only)}.`);
  const scale = Number(values.scale ?? 1);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale is ${values.scale}; give a number above 0 and up to 1.`);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed is ${values.seed}; give a number from 0 up.`);
  const recovers = !values['no-recovery'];
  return {
    scenarios,
    seed,
    scale,
    isQuick: values.quick,
    recovers,
    isFull: !values.quick && scenarios.length === SCENARIOS.length && scale === 1 && recovers,
  };
}
