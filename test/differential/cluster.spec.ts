import { Logger } from '@nestjs/common';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { eventually } from '../support/eventually.js';
import { completed, settlementOf, tour, tourJob, TOUR_QUEUES, TOUR_TIMES, workTour } from './engine-tour.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';

let server: OwnServer;

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await startOwnServer(({ second }) => [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    `${second}`,
    '--cluster-announce-ip',
    '127.0.0.1',
  ]);
  await server.admin.cluster('ADDSLOTSRANGE', 0, 16_383);
  await eventually(async () => expect(await server.admin.cluster('INFO')).toContain('cluster_state:ok'));
});

afterAll(() => server.stop());

const made: Cluster[] = [];

function createClient(): Cluster {
  const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }]);
  made.push(cluster);
  return cluster;
}

function createEngine(prefix: string, times = TOUR_TIMES): BullEngine {
  return new BullEngine({ redis: { createClient }, prefix, queues: TOUR_QUEUES, ...times });
}

describe('an engine on a cluster', () => {
  it('does all that it does on one server', async () => {
    const engine = createEngine('tour');
    await tour(engine, server.admin, '{tour:default}:default:');
    await engine.close();
  });

  it('adds jobs of two queues, which are in different slots', async () => {
    const engine = createEngine('two');
    const jobs = [tourJob('a'), tourJob('b', { queue: 'mail' }), tourJob('c'), tourJob('a')];
    expect(await engine.enqueue(jobs)).toEqual([
      { id: 'a', deduplicated: false },
      { id: 'b', deduplicated: false },
      { id: 'c', deduplicated: false },
      { id: 'a', deduplicated: true },
    ]);
    expect(await engine.counts('default')).toMatchObject({ waiting: 2 });
    expect(await engine.counts('mail')).toMatchObject({ waiting: 1 });
    const slots = await Promise.all(
      ['{two:default}:default:a', '{two:mail}:mail:b'].map((key) => server.admin.cluster('KEYSLOT', key)),
    );
    expect(new Set(slots).size).toBe(2);
    await engine.close();
  });

  it('finds a job without its queue, whichever it is in', async () => {
    const engine = createEngine('find');
    await engine.enqueue([tourJob('a'), tourJob('b', { queue: 'mail' })]);
    const found = await engine.find([{ id: 'b' }, { id: 'a' }, { id: 'nobody' }]);
    expect(found.map((record) => record?.queue)).toEqual(['mail', 'default', undefined]);
    workTour(engine, 'mail', () => completed('"b"'));
    expect(await settlementOf(engine, { id: 'b' })).toEqual({ state: 'completed', result: '"b"' });
    await engine.close();
  });

  it('closes at once while its workers wait for jobs, and ends every connection', async () => {
    made.length = 0;
    const engine = createEngine('close', { ...TOUR_TIMES, lockDuration: 30_000, stalledInterval: 15_000 });
    for (const queue of TOUR_QUEUES) workTour(engine, queue);
    await engine.enqueue([tourJob('a')]);
    await settlementOf(engine, { id: 'a', queue: 'default' });
    await eventually(async () => expect(await server.admin.client('LIST')).toMatch(/cmd=brpoplpush/));
    const since = Date.now();
    await engine.close();
    expect(Date.now() - since).toBeLessThan(1_500);
    await eventually(() => expect(made.map(({ status }) => status)).toEqual(made.map(() => 'end')));
  });

  it('loses no job that comes while it closes', async () => {
    const engine = createEngine('late');
    workTour(engine, 'default');
    const producer = createEngine('late');
    const closing = engine.close();
    const jobs = Array.from({ length: 20 }, (_, index) => tourJob(`job-${index}`));
    for (const job of jobs) await producer.enqueue([job]);
    await closing;
    workTour(producer, 'default');
    const ends = await Promise.all(jobs.map(({ id }) => settlementOf(producer, { id, queue: 'default' })));
    expect(ends.map(({ state }) => state)).toEqual(jobs.map(() => 'completed'));
    await producer.close();
  });
});
