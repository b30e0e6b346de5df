import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STARTS_WITHIN = 5_000;

/** A Redis of the bench's own, which keeps nothing on disk. */
export interface BenchRedis {
  readonly port: number;
  /** Throws everything away, so that each run finds the same server. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-bench-'));
  const settings = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', ['--port', `${port}`, ...settings], { stdio: 'ignore' });
  const exited = once(server, 'exit').catch((error: unknown) => {
    throw new Error('The bench needs redis-server on the PATH.', { cause: error });
  });
  const kill = (): void => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', kill);
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
  // Refused connections: the server is still starting.
  client.on('error', () => undefined);
  await Promise.race([client.ping(), exited, sleep(STARTS_WITHIN, undefined, { ref: false })]);
  if (client.status !== 'ready') throw new Error(`redis-server does not answer on port ${port}.`);

  return {
    port,
    clear: async () => {
      await client.flushall('SYNC');
      await client.script('FLUSH', 'SYNC');
      await client.config('RESETSTAT');
    },
    stop: async () => {
      client.disconnect();
      kill();
      await exited;
      process.off('exit', kill);
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
