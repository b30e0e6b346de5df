import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export interface Sentinel {
  readonly port: number;
  readonly admin: Redis;
  /** The port of the server that it holds for the master. */
  master(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a sentinel that alone decides on a failover, half a second after its master is silent. */
export async function startSentinel(name: string, masterPort: number): Promise<Sentinel> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  // Debian's redis-sentinel is the same program.
  const server = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const exited = once(server, 'exit');
  const kill = (): void => void server.kill('SIGKILL');
  process.once('exit', kill);
  const admin = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  const master = async (): Promise<number> => {
    const [, found] = (await admin.call('SENTINEL', 'get-master-addr-by-name', name)) as string[];
    return Number(found);
  };
  await eventually(
    async () => {
      // Without a replica there is nobody to fail over to.
      const replicas = (await admin.call('SENTINEL', 'replicas', name)) as unknown[];
      if (replicas.length === 0) throw new Error('The sentinel knows of no replica yet.');
    },
    { timeout: 15_000 },
  );
  return {
    port,
    admin,
    master,
    stop: async () => {
      admin.disconnect();
      process.off('exit', kill);
      kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
