import { setTimeout as sleep } from 'node:timers/promises';
import type { AppProcess } from '../harness/app-process.js';
import { CHECK, LOCK, type Stage } from '../harness/stage.js';
import { count, NEVER, quantile, type Figure } from '../judge/figures.js';
import { ofTasks } from '../judge/ledger.js';
import { judgeTicks, type TickCounts } from '../judge/ticks.js';
import type { Scenario } from './scenario.js';

const PROCESSES = 5;
const EVERY = 1_000;

/** From one restart to the next, in ms: kill -9 and SIGTERM in turn. */
const RESTART_EVERY = 4_000;

/** A killed worker's run begins again after this long, and everything of the last tick is over. */
const AFTERMATH = LOCK + CHECK + 3_000;

/** The first ticks are left out: schedules that were never seen begin with the boot of a process. */
const SETTLED = 2_000;

const secondsOf = (stage: Stage): number => stage.size(600, 15);

export const schedules: Scenario = {
  name: 'schedules',
  title: (stage) => `${PROCESSES} processes restarted for ${secondsOf(stage)} s, schedules with a tick per second`,
  isLight: true,
  run: async (stage) => {
    const start = (): Promise<AppProcess> => stage.worker({}, 'scheduled');
    const processes = await Promise.all(Array.from({ length: PROCESSES }, start));
    const from = Math.ceil((Date.now() + SETTLED) / EVERY) * EVERY;
    const to = from + secondsOf(stage) * EVERY;
    let restarts = 0;
    while (Date.now() < to) {
      await sleep(Math.min(RESTART_EVERY * stage.random.between(0.5, 1.5), to - Date.now()));
      const [victim] = processes.splice(stage.random.below(processes.length), 1);
      if (restarts++ % 2 === 0) await stage.kill(victim);
      else victim.kill('SIGTERM');
      await victim.ended;
      processes.push(await start());
    }
    await sleep(AFTERMATH);

    const ledger = stage.ledger();
    const ticksOf = (method: string): TickCounts =>
      judgeTicks(
        ofTasks(ledger, (task) => task === `ScheduledTasks.${method}`),
        from,
        to,
        EVERY,
      );
    const crons = ticksOf('cron');
    const intervals = ticksOf('interval');
    return [
      { name: 'restarts, half of them by kill -9', value: restarts, unit: '' },
      ...tickFigures('of a cron', crons, stage),
      ...tickFigures('of an interval', intervals, stage),
      { name: 'begun after their instant, p50', value: quantile([...crons.late, ...intervals.late], 0.5), unit: 'ms' },
      {
        name: 'begun after their instant, p99',
        value: quantile([...crons.late, ...intervals.late], 0.99),
        unit: 'ms',
        summary: 'late by, p99',
      },
    ];
  },
};

function tickFigures(whose: string, { due, missing, doubled, unknown }: TickCounts, stage: Stage): Figure[] {
  for (const [what, ticks] of Object.entries({ missing, doubled, unknown })) {
    if (ticks.length > 0) stage.note(`ticks ${whose}, ${what}: ${ticks.slice(0, 20).join(', ')}`);
  }
  return [
    { name: `ticks ${whose}`, value: due, unit: '', promise: { least: 1 }, summary: `ticks ${whose}` },
    { ...count('of them missed', missing, NEVER), summary: 'missed' },
    { ...count('of them made twice', doubled, NEVER), summary: 'made twice' },
    count('made at no instant that was due', unknown, NEVER),
  ];
}
