import { Logger } from '@nestjs/common';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { tour, tourJob, TOUR_QUEUES, TOUR_TIMES } from './engine-tour.js';
import { tourOfRules } from './rules-tour.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';

const PREFIX = 'tasks';

/** Sent by the engine itself. */
const SENT = ['evalsha', 'eval', 'brpoplpush', 'subscribe', 'unsubscribe'];

/** Sent by its scripts. */
const IN_SCRIPTS = [
  'get',
  'mget',
  'set',
  'del',
  'exists',
  'pexpire',
  'pttl',
  'incr',
  'incrby',
  'time',
  'publish',
  'scan',
  'hget',
  'hset',
  'hdel',
  'hincrby',
  'hmget',
  'hlen',
  'hgetall',
  'hexists',
  'lpush',
  'rpush',
  'lrem',
  'linsert',
  'lindex',
  'llen',
  'lpos',
  'lrange',
  'ltrim',
  'rename',
  'rpop',
  'sadd',
  'srem',
  'scard',
  'sismember',
  'srandmember',
  'zadd',
  'zrem',
  'zcard',
  'zcount',
  'zrange',
  'zrangebyscore',
  'zscore',
  'zpopmin',
];

/** All that an engine needs, on keys and channels that begin with its prefix. */
const COMMANDS = [...SENT, ...IN_SCRIPTS];

/** Used where they are allowed, done without where they are not. */
const CONVENIENCES = ['info', 'ping', 'client|id', 'client|setname', 'client|unblock'];

let server: OwnServer;
const engines: BullEngine[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await startOwnServer();
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await server.admin.flushall();
});

afterAll(() => server.stop());

/** An engine whose user may do this on the keys and channels of the prefix. */
async function engineOf(name: string, commands: readonly string[]): Promise<BullEngine> {
  const rules = ['reset', 'on', '>secret', `~${PREFIX}:*`, `&${PREFIX}:*`, '-@all'];
  await server.admin.call('ACL', 'SETUSER', name, ...rules, ...commands.map((command) => `+${command}`));
  const redis = `redis://${name}:secret@127.0.0.1:${server.port}`;
  const engine = new BullEngine({ redis, prefix: PREFIX, queues: TOUR_QUEUES, ...TOUR_TIMES });
  engines.push(engine);
  return engine;
}

const base = `${PREFIX}:default:`;

/** The commands that stand in the scripts. */
function commandsInScripts(): string[] {
  const folder = new URL('../../lib/engines/bull/scripts/', import.meta.url);
  const lua = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const calls = lua.join('\n').matchAll(/\bp?call\('([A-Z]+)'/g);
  return [...new Set([...calls].map(([, command]) => command.toLowerCase()))];
}

describe('a user that may do little', () => {
  it('works with the commands of the list, on keys and channels of the prefix', async () => {
    await tour(await engineOf('worker', [...COMMANDS, ...CONVENIENCES]), server.admin, base);
  });

  it('has jobs with rules done, too', async () => {
    await server.admin.call('ACL', 'LOG', 'RESET');
    await tourOfRules(await engineOf('steward', [...COMMANDS, ...CONVENIENCES]), server.admin, base);
    const log = (await server.admin.call('ACL', 'LOG')) as string[][];
    expect(log.map((entry) => [entry[3], entry[5], entry[7]].join(' '))).toEqual([]);
  });

  it('works without the conveniences', async () => {
    await tour(await engineOf('frugal', COMMANDS), server.admin, base);
  });

  it('is refused nothing of the list’s commands, keys and channels', async () => {
    await server.admin.call('ACL', 'LOG', 'RESET');
    await tour(await engineOf('watched', [...COMMANDS, ...CONVENIENCES]), server.admin, base);
    const log = (await server.admin.call('ACL', 'LOG')) as string[][];
    expect(log.map((entry) => [entry[3], entry[5], entry[7]].join(' '))).toEqual([]);
  });

  it('needs no command that is not in the scripts, and each that is', () => {
    expect(commandsInScripts().toSorted()).toEqual(IN_SCRIPTS.toSorted());
  });

  it('is told at the call what it may not do', async () => {
    const engine = await engineOf('reader', ['info', 'evalsha', 'eval', 'subscribe']);
    const refused = engine.enqueue([tourJob('a')]);
    await expect(refused).rejects.toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE' });
    await expect(refused).rejects.toThrow(/refused/);
  });

  it('is told by the README with exactly these rights', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rights = /ACL SETUSER worker([^`]*)```/.exec(readme)![1].matchAll(/\+(\S+)/g);
    expect([...rights].map(([, command]) => command).toSorted()).toEqual([...COMMANDS, ...CONVENIENCES].toSorted());
  });
});
