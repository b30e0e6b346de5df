import type { Engine, EngineWorker } from '../contracts/engine.js';
import type { EngineSchedules } from '../contracts/engine-schedules.js';
import type { EnginePart } from './messages.js';
import type { ThreadHost } from './thread-host.js';

type Host = Pick<ThreadHost, 'request' | 'watch' | 'follow'>;

/** The engine of the main thread, used from a worker thread: each call is a message there and one back. */
export class RelayEngine implements Engine {
  readonly name = 'relay';

  readonly enqueue = this.relay('enqueue');
  readonly begin = this.relay('begin');
  readonly find = this.relay('find');
  readonly state = this.relay('state');
  readonly progress = this.relay('progress');
  readonly log = this.relay('log');
  readonly counts = this.relay('counts');
  readonly list = this.relay('list');
  readonly cancel = this.relay('cancel');
  readonly retry = this.relay('retry');
  readonly remove = this.relay('remove');
  readonly move = this.relay('move');
  readonly pause = this.relay('pause');
  readonly resume = this.relay('resume');
  readonly isPaused = this.relay('isPaused');
  readonly problems = this.relay('problems');
  readonly watch: Engine['watch'] = (job, observer) => this.host.watch(job, observer);

  readonly schedules: EngineSchedules = {
    tick: this.relaySchedules('tick'),
    read: this.relaySchedules('read'),
    set: this.relaySchedules('set'),
    changes: this.relaySchedules('changes'),
    pause: this.relaySchedules('pause'),
    follow: (queue, changed) => this.host.follow(queue, changed),
  };

  constructor(private readonly host: Host) {}

  /** Jobs come to a thread one by one, from the worker in the main thread. */
  work(): EngineWorker {
    throw new Error('A worker thread takes no jobs from a queue by itself.');
  }

  /** The main thread's engine is the main thread's to close. */
  async close(): Promise<void> {}

  private relay<Method extends keyof Engine>(method: Method): Engine[Method] {
    return this.by('engine', method) as Engine[Method];
  }

  private relaySchedules<Method extends keyof EngineSchedules>(method: Method): EngineSchedules[Method] {
    return this.by('schedules', method) as EngineSchedules[Method];
  }

  private by(part: EnginePart, method: string): unknown {
    return (...args: readonly unknown[]) => this.host.request(part, method, args);
  }
}
