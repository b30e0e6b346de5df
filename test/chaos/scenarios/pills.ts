import type { AppProcess } from '../harness/app-process.js';
import type { Stage } from '../harness/stage.js';
import { attemptsOf } from '../app/setup.js';
import { judgeDelivery } from '../judge/delivery.js';
import { count, deliveryFigures, NEVER } from '../judge/figures.js';
import { ofTasks } from '../judge/ledger.js';
import type { Scenario } from './scenario.js';

const WORKERS = 3;
const MAX_CRASHES = 3;
const JOBS_PER_SECOND = 40;

/** Each crash costs a lock, a check and the start of a worker, and last tries go one after the other. */
const PATIENCE = 60_000;

const pillsOf = (stage: Stage): number => stage.size(5, 2);

const isPill = (task: string): boolean => task === 'pill';

export const pills: Scenario = {
  name: 'pills',
  title: (stage) => `${pillsOf(stage)} jobs that kill their process, among others`,
  run: async (stage) => {
    const options = { maxCrashes: MAX_CRASHES };
    // As whatever keeps an app's workers running does.
    const replaceWhenGone = (worker: AppProcess): void => {
      void worker.ended.then(async () => {
        if (!watch.isOver) replaceWhenGone(await stage.worker(options));
      });
    };
    const producer = await stage.producer(options);
    const watch = { isOver: false };
    for (const worker of await stage.workers(WORKERS, options)) replaceWhenGone(worker);
    await stage.baseline(producer, { parts: [{ task: 'plain', share: 1 }] });
    const over = pillsOf(stage) * 2_000;
    const jobs = (over / 1_000) * JOBS_PER_SECOND;
    await Promise.all([
      stage.load(producer, { jobs, over, longest: 500, parts: [{ task: 'plain', share: 1 }] }),
      stage.load(producer, { jobs: pillsOf(stage), over, longest: 200, parts: [{ task: 'pill', share: 1 }] }),
    ]);
    await stage.settle(PATIENCE);
    watch.isOver = true;

    const ledger = stage.ledger();
    const reports = await stage.reports(ledger);
    const swallowed = ofTasks(ledger, isPill);
    const pillIds = new Set(swallowed.acks.map(({ id }) => id));
    const innocent = reports.filter(({ id }) => !pillIds.has(id));
    const failed = reports.filter(({ id, state }) => pillIds.has(id) && state === 'failed');
    const runs = [...pillIds].map((pill) => swallowed.starts.filter(({ id }) => id === pill).length);
    return [
      ...deliveryFigures(
        judgeDelivery(
          ofTasks(ledger, (task) => !isPill(task)),
          innocent,
          attemptsOf,
        ),
      ),
      { ...count('jobs that kill their process', swallowed.acks), promise: { least: 1 } },
      count('of them not failed in the end', { length: pillIds.size - failed.length }, NEVER),
      {
        name: 'processes that one of them ended, most',
        value: Math.max(...runs),
        unit: '',
        promise: { most: MAX_CRASHES },
        summary: 'processes that one of them ended, most',
      },
    ];
  },
};
