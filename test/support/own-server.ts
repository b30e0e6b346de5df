import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePorts } from './free-port.js';

/** A Redis of one spec, for what the shared one must not be made to do. */
export interface OwnServer {
  readonly port: number;
  readonly url: string;
  /** As the user that may do everything. */
  readonly admin: Redis;
  /** Kills it with SIGKILL; what it kept on disk stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port; resolves once it is asked, whether or not it answers. */
  start(): void;
  /** Ends this server, and no other. */
  stop(): Promise<void>;
}

export interface OwnServerOptions {
  /** Not started yet. */
  isDown?: boolean;
}

const NOTHING_KEPT = ['--save', '', '--appendonly', 'no'];

/** Starts a server on a free port; `settings` are lines of redis.conf as arguments. */
export async function startOwnServer(
  settings: (ports: { second: number }) => string[] = () => [],
  { isDown = false }: OwnServerOptions = {},
): Promise<OwnServer> {
  const [port, second] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-own-redis-'));
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...NOTHING_KEPT, ...settings({ second })];
  let server: ChildProcess | undefined;
  const killNow = (): void => void server?.kill('SIGKILL');
  process.once('exit', killNow);
  const start = (): void => {
    server = spawn('redis-server', args, { stdio: 'ignore' });
  };
  const kill = async (): Promise<void> => {
    if (!server) return;
    const exited = once(server, 'exit');
    if (server.exitCode === null && server.signalCode === null) {
      killNow();
      await exited;
    }
    server = undefined;
  };

  const admin = new Redis(port, '127.0.0.1', {
    retryStrategy: (times) => Math.min(20 * times, 100),
    // It may be asked while the server reads its data.
    enableReadyCheck: false,
  });
  // Refused connections while the server is away.
  admin.on('error', () => undefined);
  if (!isDown) {
    start();
    await eventually(() => admin.ping());
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    admin,
    kill,
    start,
    stop: async () => {
      admin.disconnect();
      process.off('exit', killNow);
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
