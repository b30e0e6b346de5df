import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a direction of a way does with bytes. */
type Swallow = 'nothing' | 'questions' | 'answers' | 'all';

/** A TCP way to a server that can swallow bytes, as a router does that has forgotten a connection, and can be cut. */
export class Proxy {
  private readonly sockets = new Set<Socket>();
  private swallow: Swallow = 'nothing';
  private readonly server: Server;

  private constructor(private target: { host: string; port: number }) {
    this.server = createServer((socket) => this.join(socket));
  }

  static async start(redisUrl: string): Promise<Proxy> {
    const proxy = new Proxy(targetOf(redisUrl));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Connections of this moment go silent for ever; later ones work. */
  silence(what: Exclude<Swallow, 'nothing'> = 'answers'): void {
    for (const socket of this.sockets) this.deafen(socket, what);
  }

  /** Every connection is silent, and new ones are too, until `heal()`; the silent ones stay so. */
  blackHole(what: Exclude<Swallow, 'nothing'> = 'all'): void {
    this.swallow = what;
    this.silence(what);
  }

  heal(): void {
    this.swallow = 'nothing';
  }

  /** New connections lead to another server, as behind a name that is moved; those of this moment stay. */
  redirect(redisUrl: string): void {
    this.target = targetOf(redisUrl);
  }

  /** Resets every connection of this moment. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  stop(): void {
    this.cut();
    this.server.close();
  }

  private join(socket: Socket): void {
    const upstream = connect(this.target.port, this.target.host);
    for (const [from, to, side] of [
      [socket, upstream, 'client'],
      [upstream, socket, 'server'],
    ] as const) {
      sides.set(from, side);
      this.sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
    if (this.swallow === 'nothing') return;
    this.deafen(socket, this.swallow);
    this.deafen(upstream, this.swallow);
  }

  private deafen(socket: Socket, what: Swallow): void {
    const side = sides.get(socket);
    if (what === 'questions' && side === 'server') return;
    if (what === 'answers' && side === 'client') return;
    socket.removeAllListeners('data').resume();
  }
}

function targetOf(redisUrl: string): { host: string; port: number } {
  const { hostname, port } = new URL(redisUrl);
  return { host: hostname, port: Number(port) };
}

const sides = new WeakMap<Socket, 'client' | 'server'>();
