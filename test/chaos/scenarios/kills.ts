import { setTimeout as sleep } from 'node:timers/promises';
import { attemptsOf, LIMIT } from '../app/setup.js';
import type { AppProcess } from '../harness/app-process.js';
import { CHECK, LOCK, type Stage } from '../harness/stage.js';
import { judgeDelivery, mostAtOnce, recoveries } from '../judge/delivery.js';
import { count, deliveryFigures, NEVER, quantile, type Figure } from '../judge/figures.js';
import { MIXED, type Scenario } from './scenario.js';

const WORKERS = 4;
const LEAST_WORKERS = 3;
const KILL_EVERY = 1_200;

/** A kill is nobody's fault here, and a job may meet many of them. */
const MAX_CRASHES = 1_000;

const killsOf = (stage: Stage): number => stage.size(50, 5);
const jobsOf = (stage: Stage): number => stage.size(10_000, 1_000);

export const kills: Scenario = {
  name: 'kills',
  title: (stage) => `${killsOf(stage)} × kill -9 of a worker, ${jobsOf(stage).toLocaleString('en')} jobs`,
  run: async (stage) => {
    const options = { maxCrashes: MAX_CRASHES };
    const producer = await stage.producer(options);
    const workers = await stage.workers(WORKERS, options);
    const baseline = await stage.baseline(producer, { parts: MIXED });
    await killWorkers(stage, producer, workers, () => stage.worker(options));
    await stage.settle();

    const ledger = stage.ledger();
    const reports = await stage.reports(ledger);
    const delivery = judgeDelivery(ledger, reports, attemptsOf);
    await stage.clear();
    const left = (await stage.keys()).filter((key) => !baseline.has(key));
    if (left.length > 0) stage.note(`keys that were left: ${left.slice(0, 20).join(', ')}`);
    return [
      ...deliveryFigures(delivery),
      ...recoveryFigures(recoveries(ledger, stage.deaths, reports), stage.margin),
      atOnce(
        'runs of a limited key at once',
        mostAtOnce(ledger, stage.deaths, (task) => task === 'limited'),
        LIMIT,
      ),
      atOnce(
        'runs of a unique key at once',
        mostAtOnce(ledger, stage.deaths, (task) => task === 'single'),
        1,
      ),
      count('keys left when the jobs are removed', left, NEVER),
    ];
  },
};

/** Kills one after the other under load, and has each replaced; some are always there to take over. */
async function killWorkers(
  stage: Stage,
  producer: AppProcess,
  workers: AppProcess[],
  start: () => Promise<AppProcess>,
): Promise<void> {
  const loading: Promise<void>[] = [];
  const replacing = new Set<Promise<void>>();
  for (let kill = 0; kill < killsOf(stage); kill++) {
    // In parts, since processes start slowly on a busy machine, and kills wait for them.
    const jobs = jobsOf(stage) / killsOf(stage);
    loading.push(stage.load(producer, { jobs, over: KILL_EVERY, parts: MIXED, longest: 400 }));
    await sleep(KILL_EVERY * stage.random.between(0.5, 1.5));
    while (workers.length < LEAST_WORKERS) await Promise.race(replacing);
    const [victim] = workers.splice(stage.random.below(workers.length), 1);
    const replaced = stage
      .kill(victim)
      .then(start)
      .then((worker) => {
        workers.push(worker);
        replacing.delete(replaced);
      });
    replacing.add(replaced);
  }
  await Promise.all([...replacing, ...loading]);
}

function recoveryFigures(times: readonly (number | undefined)[], margin: number): Figure[] {
  const known = times.filter((time) => time !== undefined);
  const promise = { most: LOCK + CHECK, margin };
  return [
    { name: 'jobs whose worker was killed', value: times.length, unit: '' },
    { name: 'began again, p50', value: quantile(known, 0.5), unit: 'ms', summary: 'began again after, p50' },
    { name: 'began again, p99', value: quantile(known, 0.99), unit: 'ms' },
    { name: 'began again, longest', value: quantile(known, 1), unit: 'ms', promise, summary: 'longest' },
  ];
}

function atOnce(name: string, value: number, most: number): Figure {
  return { name, value, unit: '', promise: { most } };
}
