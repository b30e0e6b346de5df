import { Cluster } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Task, task, TaskHealth, TaskQueue, type TasksModuleOptions } from '../../lib/index.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { startLoggedApp } from '../support/logged-app.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';
import { Proxy } from '../support/proxy.js';
import { startSentinel } from '../support/sentinel.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

class FailoverTasks {
  static gate: Deferred<void>;
  static running = 0;

  @Task() echo(value: number): number {
    return value;
  }

  @Task() async hold(): Promise<string> {
    FailoverTasks.running++;
    await FailoverTasks.gate.promise;
    return 'held';
  }
}
const { echo, hold } = task(FailoverTasks);

async function start(options: TasksModuleOptions) {
  FailoverTasks.gate = deferred();
  FailoverTasks.running = 0;
  const { app, lines } = await startLoggedApp(options, [FailoverTasks]);
  ends.push(async () => {
    FailoverTasks.gate.resolve();
    await app.close();
  });
  const queue = app.get(TaskQueue);
  expect(await (await queue.enqueue(echo(0))).result({ timeout: '10s' })).toBe(0);
  return { app, lines, queue, health: app.get(TaskHealth) };
}

async function ownServer(...settings: string[]): Promise<OwnServer> {
  const server = await startOwnServer(() => settings);
  ends.push(() => server.stop());
  return server;
}

/** A master and a replica that has all that it has. */
async function pair(): Promise<[master: OwnServer, replica: OwnServer]> {
  const master = await ownServer('--repl-diskless-sync-delay', '0');
  const replica = await ownServer('--replicaof', '127.0.0.1', `${master.port}`, '--repl-diskless-sync-delay', '0');
  await eventually(async () => expect(await replica.admin.info('replication')).toContain('master_link_status:up'));
  return [master, replica];
}

/** Everything that was written up to now is on the replica, too. */
async function replicated({ admin }: OwnServer): Promise<void> {
  await admin.set('mark', Date.now());
  expect(await admin.wait(1, 5_000)).toBe(1);
}

async function firstJobDone(queue: TaskQueue, within = 15_000): Promise<number> {
  const before = performance.now();
  const job = await eventually(() => queue.enqueue(echo(1)), { timeout: within });
  expect(await job.result({ timeout: '10s' })).toBe(1);
  return performance.now() - before;
}

describe('Sentinel', () => {
  it('that makes a replica the master: jobs go on there, none is lost, and the new server is checked', async () => {
    const [master, replica] = await pair();
    await replica.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const sentinel = await startSentinel('main', master.port);
    ends.push(() => sentinel.stop());
    const { queue, lines, health } = await start({
      redis: { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' },
    });
    const held = await queue.enqueue(hold());
    await eventually(() => expect(FailoverTasks.running).toBe(1));
    const later = await queue.enqueueMany(
      Array.from({ length: 50 }, (_, index) => echo(index)),
      { delay: '1s' },
    );
    await replicated(master);
    lines.length = 0;

    await master.kill();
    const before = performance.now();
    await eventually(async () => expect(await sentinel.master()).toBe(replica.port), { timeout: 15_000 });
    const failedOver = performance.now() - before;
    FailoverTasks.gate.resolve();
    const backIn = await firstJobDone(queue);
    console.log(
      `Sentinel: new master after ${Math.round(failedOver)} ms, first job done ${Math.round(backIn)} ms later`,
    );
    expect(backIn).toBeLessThan(5_000);
    expect(await held.result({ timeout: '10s' })).toBe('held');
    expect(await Promise.all(later.map((job) => job.result({ timeout: '10s' })))).toEqual(
      later.map((_, index) => index),
    );
    await eventually(async () => expect((await health.ready()).problems).toEqual([]));
    await eventually(() =>
      expect(lines).toEqual([
        expect.stringMatching(/^Redis is away/),
        expect.stringMatching(/^Redis is back/),
        expect.stringMatching(/maxmemory-policy allkeys-lru/),
      ]),
    );
  });
});

describe('A master that is made a replica and keeps its connections', () => {
  it('is left for the new one', async () => {
    const [old, young] = await pair();
    const proxy = await Proxy.start(old.url);
    ends.push(() => proxy.stop());
    const { queue, lines, health } = await start({ redis: proxy.url });
    const held = await queue.enqueue(hold());
    await eventually(() => expect(FailoverTasks.running).toBe(1));
    await replicated(old);
    lines.length = 0;
    await young.admin.replicaof('NO', 'ONE');
    await old.admin.replicaof('127.0.0.1', young.port);
    proxy.redirect(young.url);
    const refused: unknown = await queue.enqueue(echo(1)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: false });
    expect((refused as Error).message).toMatch(/READONLY.*It is a replica/s);
    FailoverTasks.gate.resolve();
    const backIn = await firstJobDone(queue);
    console.log(`demoted master: first job done on the new one after ${Math.round(backIn)} ms`);
    expect(backIn).toBeLessThan(5_000);
    expect(await held.result({ timeout: '10s' })).toBe('held');
    await eventually(async () => expect((await health.ready()).problems).toEqual([]));
    expect(lines).toEqual([
      expect.stringMatching(/^Redis refuses its work \(READONLY/),
      expect.stringMatching(/^Redis is back/),
    ]);
  });
});

describe('A cluster of three', () => {
  it('of which one is killed and restarted: other queues go on, and its own within 5 s', async () => {
    const nodes = await Promise.all([0, 1, 2].map(() => startNode()));
    await Promise.all(nodes.map(({ admin }, index) => admin.cluster('ADDSLOTSRANGE', ...RANGES[index])));
    for (const { port, bus } of nodes.slice(1)) await nodes[0].admin.call('CLUSTER', 'MEET', '127.0.0.1', port, bus);
    await eventually(
      async () => {
        for (const { admin } of nodes) {
          const info = await admin.cluster('INFO');
          expect(info).toContain('cluster_state:ok');
          expect(info).toContain('cluster_known_nodes:3');
        }
      },
      { timeout: 20_000 },
    );
    // One queue on each node.
    const queues = await Promise.all(RANGES.map((range) => queueIn(range, nodes[0])));
    const startupNodes = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const { queue, lines } = await start({
      redis: { createClient: () => new Cluster(startupNodes, { clusterRetryStrategy: () => 200 }) },
      prefix: PREFIX,
      queues: Object.fromEntries(queues.map((name) => [name, {}])),
    });
    const echoIn = async (name: string): Promise<void> => {
      const job = await queue.enqueue(echo(7), { queue: name });
      expect(await job.result({ timeout: '10s' })).toBe(7);
    };
    for (const name of queues) await echoIn(name);
    const [killed, ...others] = queues;
    const later = await queue.enqueueMany(
      Array.from({ length: 20 }, (_, index) => echo(index)),
      {
        queue: killed,
        delay: '1s',
      },
    );
    await sleep(1_100);
    lines.length = 0;

    await nodes[0].kill();
    const before = performance.now();
    const refused: unknown = await queue.enqueue(echo(1), { queue: killed }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE' });
    expect(performance.now() - before).toBeLessThan(2_500);
    for (const name of others) await eventually(() => echoIn(name));
    nodes[0].start();
    const restarted = performance.now();
    await eventually(() => echoIn(killed), { timeout: 15_000 });
    const backIn = performance.now() - restarted;
    console.log(`cluster: first job of the killed node's queue done ${Math.round(backIn)} ms after its restart`);
    expect(backIn).toBeLessThan(5_000);
    expect(await Promise.all(later.map((job) => job.result({ timeout: '10s' })))).toEqual(
      later.map((_, index) => index),
    );
    for (const name of others) await echoIn(name);
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(10);
  });

  const PREFIX = 'failover';
  const RANGES: [number, number][] = [
    [0, 5_460],
    [5_461, 10_922],
    [10_923, 16_383],
  ];

  async function startNode(): Promise<OwnServer & { bus: number }> {
    let bus = 0;
    const server = await startOwnServer(({ second }) => {
      bus = second;
      const settings = {
        'cluster-enabled': 'yes',
        'cluster-port': `${second}`,
        'cluster-announce-ip': '127.0.0.1',
        'cluster-require-full-coverage': 'no',
        'cluster-node-timeout': '1000',
        appendonly: 'yes',
        appendfsync: 'everysec',
      };
      return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    });
    ends.push(() => server.stop());
    return { ...server, bus };
  }

  async function queueIn([first, last]: [number, number], { admin }: OwnServer): Promise<string> {
    for (let number = 0; ; number++) {
      const name = `queue-${number}`;
      const slot = await admin.cluster('KEYSLOT', `{${PREFIX}:${name}}`);
      if (slot >= first && slot <= last) return name;
    }
  }
});
