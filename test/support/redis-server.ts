import { Redis } from 'ioredis';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
  }
}

/** Gives the tests a Redis: the one of TEST_REDIS_URL, or one that is started for this run and stopped after it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_REDIS_URL;
  const server = given ? undefined : await startServer();
  const url = given ?? server!.url;
  await ping(url, given ? 'TEST_REDIS_URL' : 'the started redis-server');
  process.env.TEST_REDIS_URL = url;
  project.provide('redisUrl', url);

  return async () => {
    if (given === undefined) delete process.env.TEST_REDIS_URL;
    await server?.stop();
  };
}

interface Server {
  url: string;
  stop(): Promise<void>;
}

async function startServer(): Promise<Server> {
  if (!isOnPath('redis-server')) installServer();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-redis-'));
  const nothingKept = ['--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...nothingKept], {
    stdio: 'ignore',
  });
  const kill = () => void server.kill('SIGKILL');
  process.once('exit', kill);

  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      process.off('exit', kill);
      await stop(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}

function installServer(): void {
  const mayInstall = process.getuid?.() === 0 && isOnPath('apt-get');
  if (mayInstall) {
    console.log('No redis-server on the PATH: installing it by apt-get');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
      spawnSync('apt-get', args, { stdio: 'inherit', env });
    }
  }
  if (isOnPath('redis-server')) return;
  throw new Error(
    'The tests need a Redis. Install redis-server so that it is on the PATH (apt-get install redis-server, ' +
      'brew install redis), or name a running one: TEST_REDIS_URL=redis://127.0.0.1:6379 npm test',
  );
}

function isOnPath(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

async function ping(url: string, what: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  // Each refused connection is also answered by the rejected command.
  client.on('error', () => undefined);
  try {
    await eventually(async () => {
      if (client.status !== 'ready') await client.connect();
      await client.ping();
    });
  } catch (error) {
    throw new Error(`${what} (${url}) does not answer: ${(error as Error).message}`, { cause: error });
  } finally {
    client.disconnect();
  }
}
