import { setTimeout as sleep } from 'node:timers/promises';
import { attemptsOf } from '../app/setup.js';
import type { Stage } from '../harness/stage.js';
import { judgeDelivery } from '../judge/delivery.js';
import { deliveryFigures } from '../judge/figures.js';
import { outageFigures, type Outage } from '../judge/outages.js';
import { MIXED, type Scenario } from './scenario.js';

const WORKERS = 3;

/** From one kill to the next: Redis is away for a while, and then everything gets time to come back. */
const KILL_EVERY = 8_000;
const LEAST_AWAY = 200;
const MOST_AWAY = 2_500;
const JOBS_PER_SECOND = 150;

const killsOf = (stage: Stage): number => stage.size(5, 1);

export const redisKills: Scenario = {
  name: 'redis-kills',
  title: (stage) => `${killsOf(stage)} × kill -9 of Redis under load, AOF everysec`,
  run: async (stage) => {
    const producer = await stage.producer();
    const workers = await stage.workers(WORKERS);
    await stage.baseline(producer, { parts: MIXED });
    const over = (killsOf(stage) + 0.2) * KILL_EVERY;
    const jobs = (over / 1_000) * JOBS_PER_SECOND;
    const loading = stage.load(producer, { jobs, over, parts: MIXED, longest: 100 });
    const outages: Outage[] = [];
    for (let kill = 0; kill < killsOf(stage); kill++) {
      await sleep(stage.random.between(500, 1_500));
      const from = Date.now();
      await stage.redis.kill();
      await sleep(stage.random.between(LEAST_AWAY, MOST_AWAY));
      const to = await stage.redis.restart();
      outages.push({ from, to });
      await sleep(from + KILL_EVERY - Date.now());
    }
    await loading;
    await stage.settle();

    const ledger = stage.ledger();
    const pids = workers.map(({ pid }) => pid);
    return [
      ...deliveryFigures(judgeDelivery(ledger, await stage.reports(ledger), attemptsOf)),
      ...outageFigures(ledger, outages, pids, stage.processes, stage.margin),
    ];
  },
};
