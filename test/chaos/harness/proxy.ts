import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to bytes on their way: they pass, pass late, vanish, or find nobody. */
export type Weather = 'clear' | 'slow' | 'silent' | 'refusing';

/** How late each piece of data is when it is slow, in ms. */
const SLOWNESS = 50;

interface Link {
  sockets: readonly [Socket, Socket];
  /** Something of it was swallowed, so that it never makes sense again: it stays silent until somebody hangs up. */
  isDead: boolean;
}

/** A way to Redis that can be cut, slowed and made silent, as networks do. */
export class Proxy {
  weather: Weather = 'clear';
  private readonly links = new Set<Link>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(target: number): Promise<Proxy> {
    const server = createServer((socket) => proxy.accept(socket, target));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new Proxy(server, (server.address() as AddressInfo).port);
    return proxy;
  }

  /** Ends every connection of this moment. */
  cut(): void {
    for (const { sockets } of this.links) for (const socket of sockets) socket.destroy();
  }

  stop(): void {
    this.cut();
    this.server.close();
  }

  private accept(socket: Socket, target: number): void {
    if (this.weather === 'refusing') {
      socket.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    const link: Link = { sockets: [socket, upstream], isDead: false };
    this.links.add(link);
    this.carry(link, socket, upstream);
    this.carry(link, upstream, socket);
  }

  private carry(link: Link, from: Socket, to: Socket): void {
    let arrival = Promise.resolve();
    from.on('data', (data) => {
      if (this.weather === 'silent') link.isDead = true;
      if (link.isDead) return;
      const delay = this.weather === 'slow' ? SLOWNESS : 0;
      // In order, also where slow data is followed by data that is not.
      const due = delay === 0 ? undefined : Date.now() + delay;
      arrival = arrival.then(() => later(due)).then(() => void (link.isDead || to.write(data)));
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      to.destroy();
      this.links.delete(link);
    });
  }
}

function later(due: number | undefined): Promise<void> | undefined {
  const wait = due === undefined ? 0 : due - Date.now();
  return wait <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, wait));
}
