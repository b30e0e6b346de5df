import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/free-port.js';

/** A Redis of one spec, for what the shared one must not be made to do. */
export interface OwnServer {
  readonly port: number;
  /** As the user that may do everything. */
  readonly admin: Redis;
  /** Ends this server, and no other. */
  stop(): Promise<void>;
}

/** Starts a server on a free port; `settings` are lines of redis.conf as arguments. */
export async function startOwnServer(settings: (ports: { second: number }) => string[] = () => []): Promise<OwnServer> {
  const [port, second] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-own-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...options, ...settings({ second })], { stdio: 'ignore' });
  const exited = once(server, 'exit');
  const kill = (): void => void server.kill('SIGKILL');
  process.once('exit', kill);

  const admin = new Redis(port, '127.0.0.1', { retryStrategy: (times) => Math.min(20 * times, 200) });
  // Refused connections while the server starts.
  admin.on('error', () => undefined);
  await eventually(() => admin.ping());
  return {
    port,
    admin,
    stop: async () => {
      admin.disconnect();
      process.off('exit', kill);
      kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
