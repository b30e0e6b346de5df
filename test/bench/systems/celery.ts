import { Redis } from 'ioredis';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findCelery, startPython, type CeleryPython } from './python.js';
import { QUEUE, type Handler, type Producer, type System, type SystemSettings, type Worker } from './system.js';

/** Processes of a worker at most. Only a queue that is drained, which nobody measures, asks for more. */
const MOST_PROCESSES = 10;

/** What a worker does only for its neighbours, of which there are none. */
const ALONE = ['--without-gossip', '--without-mingle', '--without-heartbeat'];

/** Celery, in Python: one process enqueues, a worker has its pool of processes, or of threads where jobs wait for I/O. */
export function createCelery(settings: SystemSettings): System {
  const python = findCelery();
  if (!python) throw new Error('Celery is not installed here: install the packages celery and redis for Python.');
  return {
    isOutside: true,
    produce: async () => createProducer(python, settings),
    work: async (concurrency, handler) => startWorker(python, settings, concurrency, handler),
  };
}

function environmentOf({ port }: SystemSettings): object {
  return { BENCH_BROKER: `redis://127.0.0.1:${port}/0`, BENCH_QUEUE: QUEUE };
}

function createProducer({ path }: CeleryPython, settings: SystemSettings): Producer {
  const script = startPython(path, ['producer.py'], ['pipe', 'pipe', 'inherit'], environmentOf(settings));
  const client = new Redis(settings.port, '127.0.0.1');
  const waiting: ((error?: string) => void)[] = [];
  createInterface({ input: script.child.stdout! }).on('line', (line) => {
    waiting.shift()?.((JSON.parse(line) as { error?: string }).error);
  });
  const enqueue = (how: 'each' | 'group', numbers: readonly number[]): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push((error) =>
        error === undefined ? resolve() : reject(new Error(`Celery did not enqueue: ${error}`)),
      );
      script.child.stdin!.write(`${JSON.stringify({ how, numbers, seconds: settings.ioTime / 1_000 })}\n`);
    });

  return {
    add: ({ i }) => enqueue('each', [i]),
    addInTurn: (numbers) => enqueue('each', numbers),
    addMany: (list) =>
      enqueue(
        'group',
        list.map(({ i }) => i),
      ),
    call: () => Promise.reject(new Error('No results are kept of what Celery runs here.')),
    // What a worker has taken and not acknowledged yet is in the hash `unacked`.
    counts: async () => {
      const [left, active] = await Promise.all([client.llen(QUEUE), client.hlen('unacked')]);
      return { waiting: left, active, delayed: 0, failed: 0 };
    },
    close: async () => {
      client.disconnect();
      await script.end('SIGTERM');
    },
  };
}

/** The handler hears of each run when it is done: its number comes through a pipe that the whole pool shares. */
function startWorker({ path }: CeleryPython, settings: SystemSettings, concurrency: number, handler: Handler): Worker {
  const pool =
    settings.ioTime > 0
      ? ['--pool=threads', `--concurrency=${concurrency}`]
      : ['--pool=prefork', `--concurrency=${Math.min(concurrency, MOST_PROCESSES)}`];
  const args = ['-m', 'celery', '--app=app', 'worker', ...pool, ...ALONE, '--loglevel=ERROR'];
  const worker = startPython(path, args, ['pipe', 'ignore', 'inherit', 'pipe'], environmentOf(settings));
  let rest: Buffer = Buffer.alloc(0);
  (worker.child.stdio[3] as Readable).on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 4);
    for (let at = 0; at < whole; at += 4) void handler({ i: bytes.readUInt32LE(at) });
    rest = bytes.subarray(whole);
  });
  return { close: () => worker.end('SIGTERM') };
}
