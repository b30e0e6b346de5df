import { setTimeout as sleep } from 'node:timers/promises';
import { attemptsOf, type LoadPart } from '../app/setup.js';
import type { AppProcess } from '../harness/app-process.js';
import type { Stage } from '../harness/stage.js';
import { handovers, judgeDelivery } from '../judge/delivery.js';
import { deliveryFigures, quantile, type Figure } from '../judge/figures.js';
import { MIXED, type Scenario } from './scenario.js';

const WORKERS = 3;
const GRACE = 1_000;
const EVERY = 1_000;

/** How many of the shutdowns get a second signal, and how long it waits at most. */
const SHARE_HURRIED = 0.3;
const HURRIED_WITHIN = 500;
const HURRIED_EXIT = 2_000;

/** How soon another worker has what a closing one gave back. */
const HANDED_OVER = 1_000;

/** Some of them outlive the grace, and some of these do not listen. */
const PARTS: readonly LoadPart[] = [...MIXED, { task: 'stubborn', share: 1 }];
const LONGEST = 3_000;
const JOBS_PER_SECOND = 15;

const shutdownsOf = (stage: Stage): number => stage.size(20, 4);

export const shutdowns: Scenario = {
  name: 'shutdowns',
  title: (stage) => `${shutdownsOf(stage)} × SIGTERM, a new worker for each, some signalled twice`,
  run: async (stage) => {
    const options = { shutdownGrace: GRACE };
    const producer = await stage.producer(options);
    const workers = await stage.workers(WORKERS, options);
    await stage.baseline(producer, { parts: PARTS });
    const over = shutdownsOf(stage) * EVERY;
    const jobs = Math.round((over / 1_000) * JOBS_PER_SECOND);
    const loading = stage.load(producer, { jobs, over, parts: PARTS, longest: LONGEST });
    const exits: ShutDown[] = [];
    const rolling: Promise<void>[] = [];
    for (let round = 0; round < shutdownsOf(stage); round++) {
      await sleep(EVERY);
      const victim = workers.shift()!;
      const second = stage.random.next() < SHARE_HURRIED ? stage.random.between(50, HURRIED_WITHIN) : undefined;
      workers.push(await stage.worker(options));
      rolling.push(shutDown(victim, second).then((exit) => void exits.push(exit)));
    }
    await Promise.all([loading, ...rolling]);
    await stage.settle();

    const ledger = stage.ledger();
    return [
      ...deliveryFigures(judgeDelivery(ledger, await stage.reports(ledger), attemptsOf)),
      ...exitFigures(exits, stage.margin),
      {
        name: 'what was given back began again, longest',
        value: quantile(handovers(ledger), 1),
        unit: 'ms',
        promise: { most: HANDED_OVER, margin: stage.margin },
        summary: 'given back jobs began again after, longest',
      },
    ];
  },
};

interface ShutDown {
  isHurried: boolean;
  /** From the last signal to the end of the process, in ms. */
  took: number;
  isClean: boolean;
}

async function shutDown(app: AppProcess, second: number | undefined): Promise<ShutDown> {
  let at = app.kill('SIGTERM');
  if (second !== undefined) {
    await Promise.race([sleep(second), app.ended]);
    if (!app.hasEnded) at = app.kill('SIGTERM');
  }
  const { code, signal, at: endedAt } = await app.ended;
  return { isHurried: second !== undefined, took: endedAt - at, isClean: code === 0 || signal === 'SIGTERM' };
}

function exitFigures(exits: readonly ShutDown[], margin: number): Figure[] {
  const longest = (isHurried: boolean): number =>
    quantile(
      exits.filter((exit) => exit.isHurried === isHurried).map(({ took }) => took),
      1,
    );
  const unclean = exits.filter(({ isClean }) => !isClean).length;
  return [
    {
      name: 'exit, longest',
      value: longest(false),
      unit: 'ms',
      promise: { most: GRACE, margin },
      summary: 'exit, longest',
    },
    {
      name: 'exit after a second signal, longest',
      value: longest(true),
      unit: 'ms',
      promise: { most: HURRIED_EXIT, margin },
      summary: 'after a second signal',
    },
    { name: 'ended otherwise than by the signal', value: unclean, unit: '', promise: { most: 0 } },
  ];
}
