import { setTimeout as sleep } from 'node:timers/promises';
import { attemptsOf } from '../app/setup.js';
import type { AppProcess } from '../harness/app-process.js';
import { Proxy, type Weather } from '../harness/proxy.js';
import type { Stage } from '../harness/stage.js';
import { judgeDelivery } from '../judge/delivery.js';
import { deliveryFigures } from '../judge/figures.js';
import { outageFigures, type Outage } from '../judge/outages.js';
import { MIXED, type Scenario } from './scenario.js';

const WORKERS = 2;
const JOBS_PER_SECOND = 100;

/** From one trouble to the next, in ms. */
const EVERY = 8_000;
const LEAST = 500;
const MOST = 3_000;

const KINDS: readonly (Weather | 'cut')[] = ['silent', 'refusing', 'cut', 'slow'];

/** The full form has each kind twice for the producer, and twice for a worker. */
const spellsOf = (stage: Stage): number => stage.size(16, 2);

/** A process, and its own way to Redis. */
interface Party {
  app: AppProcess;
  proxy: Proxy;
}

export const network: Scenario = {
  name: 'network',
  title: (stage) => `connections cut, refused, slowed and black-holed, ${spellsOf(stage)} times`,
  run: async (stage) => {
    const proxies: Proxy[] = [];
    const behindProxy = async (start: (options: { redis: string }) => Promise<AppProcess>): Promise<Party> => {
      const proxy = await Proxy.start(stage.redis.port);
      proxies.push(proxy);
      return { proxy, app: await start({ redis: `redis://127.0.0.1:${proxy.port}` }) };
    };
    try {
      const producer = await behindProxy((options) => stage.producer(options));
      const workers = await Promise.all(
        Array.from({ length: WORKERS }, () => behindProxy((options) => stage.worker(options))),
      );
      await stage.baseline(producer.app, { parts: MIXED });
      const over = (spellsOf(stage) + 0.2) * EVERY;
      const jobs = (over / 1_000) * JOBS_PER_SECOND;
      const loading = stage.load(producer.app, { jobs, over, parts: MIXED, longest: 100 });
      const outages = await trouble(stage, producer, workers);
      await loading;
      await stage.settle();

      const ledger = stage.ledger();
      const pids = workers.map(({ app }) => app.pid);
      return [
        ...deliveryFigures(judgeDelivery(ledger, await stage.reports(ledger), attemptsOf)),
        ...outageFigures(ledger, outages, pids, stage.processes, stage.margin),
      ];
    } finally {
      for (const proxy of proxies) proxy.stop();
    }
  },
};

/** Hits one process after the other; slow connections are no outage, and are not answered. */
async function trouble(stage: Stage, producer: Party, workers: readonly Party[]): Promise<Outage[]> {
  const outages: Outage[] = [];
  for (let spell = 0; spell < spellsOf(stage); spell++) {
    await sleep(500);
    const kind = KINDS[spell % KINDS.length];
    // Each kind meets in turn the producer and one of the workers.
    const isOfProducer = (spell + Math.floor(spell / KINDS.length)) % 2 === 1;
    const { proxy, app } = isOfProducer ? producer : stage.random.pick(workers);
    const from = Date.now();
    if (kind === 'cut') proxy.cut();
    else {
      proxy.weather = kind;
      if (kind === 'refusing') proxy.cut();
      await sleep(stage.random.between(LEAST, MOST));
      proxy.weather = 'clear';
    }
    const to = Date.now();
    stage.note(`${kind} for ${to - from} ms, process ${app.pid}`);
    if (kind !== 'slow') outages.push({ from, to, pid: app.pid });
    await sleep(from + EVERY - 500 - Date.now());
  }
  return outages;
}
