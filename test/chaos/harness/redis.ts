import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { freePort } from './free-port.js';

const STARTS_WITHIN = 10_000;

const servers = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of servers) server.kill('SIGKILL');
});

/** A Redis of the suite's own that keeps its data in an append-only file, and that may be killed and started again. */
export class ChaosRedis {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private server: ChildProcess,
  ) {}

  static async start(folder: string): Promise<ChaosRedis> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const redis = new ChaosRedis(port, folder, launch(port, folder));
    await redis.answers();
    return redis;
  }

  /** A client for looking in from outside; the caller disconnects it. */
  connect(): Redis {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    // Refused while the server is away.
    client.on('error', () => undefined);
    return client;
  }

  /** Ends the server without a chance to write anything. */
  async kill(): Promise<void> {
    const { server } = this;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
    servers.delete(server);
  }

  /** Starts it on the same file and port; answers the instant from which it served. */
  async restart(): Promise<number> {
    this.server = launch(this.port, this.folder);
    await this.answers();
    return Date.now();
  }

  async stop(): Promise<void> {
    if (servers.has(this.server)) await this.kill();
  }

  private async answers(): Promise<void> {
    const client = this.connect();
    const failed = once(this.server, 'exit').then(() => {
      throw new Error(`redis-server ended while it started on port ${this.port}; it has to be on the PATH.`);
    });
    // It ends one day, when nobody waits for it here any more.
    failed.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`redis-server does not answer on port ${this.port}.`);
      timer = setTimeout(() => reject(error), STARTS_WITHIN);
    });
    try {
      await Promise.race([client.ping(), failed, late]);
    } finally {
      clearTimeout(timer);
      client.disconnect();
    }
  }
}

function launch(port: number, folder: string): ChildProcess {
  const settings = ['--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
  const server = spawn('redis-server', ['--port', `${port}`, ...settings, ...durable], { stdio: 'ignore' });
  // Reported by `answers()`.
  server.on('error', () => server.emit('exit', 1, null));
  servers.add(server);
  return server;
}
