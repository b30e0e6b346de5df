import { attemptsOf, type LoadPart } from '../app/setup.js';
import type { Stage } from '../harness/stage.js';
import { waitUntil } from '../harness/waiting.js';
import { judgeDelivery } from '../judge/delivery.js';
import { deliveryFigures } from '../judge/figures.js';
import { ofTasks } from '../judge/ledger.js';
import type { Scenario } from './scenario.js';

const WORKERS = 2;

/** A job that met workers without its task waits 1 s, doubling to 15 s, before the next try; some meet many of them. */
const PATIENCE = 180_000;

const secondsOf = (stage: Stage): number => stage.size(20, 1);
const jobsPerSecond = (stage: Stage): number => stage.size(20, 16);

const partsWith = (own: LoadPart['task']): LoadPart[] => [
  { task: 'plain', share: 3 },
  { task: own, share: 1 },
];

const isRetired = (task: string): boolean => task === 'retired';
const isIntroduced = (task: string): boolean => task === 'introduced';

export const deploy: Scenario = {
  name: 'deploy',
  title: () => 'rolling deploy, each version with a task that the other has not',
  run: async (stage) => {
    const before = await stage.producer({}, 'current');
    const [first, second] = await stage.workers(WORKERS);
    await stage.baseline(before, { parts: partsWith('retired') });

    // Both versions run side by side: first the producer is replaced, then one worker, then the other.
    const after = await stage.producer({}, 'next');
    const over = secondsOf(stage) * 1_000;
    const jobs = secondsOf(stage) * jobsPerSecond(stage);
    const load = { jobs, over, longest: 50 };
    const loading = Promise.all([
      stage.load(before, { ...load, parts: partsWith('retired') }),
      stage.load(after, { ...load, parts: partsWith('introduced') }),
    ]);
    first.kill('SIGTERM');
    await first.ended;
    await stage.worker({}, 'next');
    await loading;
    // The old version stays until its own task has nothing left to do.
    await waitUntil(() => judgeDelivery(ofTasks(stage.ledger(), isRetired), []).lost.length === 0, PATIENCE);
    second.kill('SIGTERM');
    await second.ended;
    await stage.worker({}, 'next');
    await stage.load(after, { ...load, jobs: jobsPerSecond(stage), over: 1_000, parts: partsWith('introduced') });
    await stage.settle(PATIENCE);

    const ledger = stage.ledger();
    return [
      ...deliveryFigures(judgeDelivery(ledger, await stage.reports(ledger), attemptsOf)),
      {
        name: 'jobs of the task that only the old version has',
        value: ofTasks(ledger, isRetired).acks.length,
        unit: '',
      },
      {
        name: 'jobs of the task that only the new version has',
        value: ofTasks(ledger, isIntroduced).acks.length,
        unit: '',
      },
    ];
  },
};
