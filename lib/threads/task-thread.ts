import type { Piscina } from 'piscina';
import { MessageChannel } from 'node:worker_threads';
import type { ActiveJob, Engine } from '../contracts/engine.js';
import { TaskCrashedError, ThreadStartError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';
import type { ThreadSettings } from '../contracts/settings.js';
import type { ThreadRunControl } from '../runner/job-threads.js';
import { carry } from './carried-error.js';
import { MemoryGuard } from './memory-guard.js';
import type { BootAnswer, ThreadCall } from './messages.js';
import { RelayServer, type ServedRun } from './relay-server.js';

/** Longest time for the boot of a thread's app, in milliseconds. */
const BOOT_TIMEOUT = 60_000;

/** Longest time for the end of a thread's app, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/** What the threads of one app share. */
export interface SharedByThreads {
  engine: Engine;
  settings: ThreadSettings;
  /** URL of the file that a thread runs first. */
  entry: string;
  /** Called once, however the thread came to its end. */
  onEnd(thread: TaskThread, error: Error | undefined): void;
}

/**
 * One thread with a Nest context of its own. It is a pool of one, since a larger one does not tell which thread has which
 * job, and so could neither abort a run before it ends its thread, nor close an idle thread's app.
 */
export class TaskThread {
  /** It takes no more jobs. */
  isEnded = false;
  idleTimer?: NodeJS.Timeout;

  private readonly pool: Piscina;
  private readonly server: RelayServer;
  private readonly guard: MemoryGuard;
  private readonly channel = new MessageChannel();
  private isGone = false;
  private isOverMemory = false;
  private runs = 0;
  private current?: ServedRun;
  private error?: Error;
  private onDeath?: (error: Error) => void;

  constructor(
    PoolOfOne: typeof Piscina,
    private readonly shared: SharedByThreads,
  ) {
    const { settings, engine, entry } = shared;
    this.guard = new MemoryGuard(settings.memory);
    this.pool = new PoolOfOne({
      filename: entry,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
      // Else the thread stands still between two jobs, and its connections miss their heartbeats.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: this.guard.limit },
    });
    this.server = new RelayServer(engine, this.channel.port1, () => this.current);
    this.pool.on('error', (error) => (this.error = error as Error));
    this.pool.on('workerDestroy', () => setImmediate(() => this.end()));
  }

  /** @throws ThreadStartError */
  async boot(): Promise<void> {
    const { module, export: name } = this.shared.settings;
    const { port2 } = this.channel;
    const call: ThreadCall = {
      type: 'boot',
      port: port2,
      settings: { module, ...(name !== undefined && { export: name }) },
    };
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<BootAnswer>((resolve, reject) => {
        // A pool forgets a call whose thread dies before it comes to it.
        this.onDeath = reject;
        timer = setTimeout(() => reject(new Error(`it takes longer than ${BOOT_TIMEOUT} ms`)), BOOT_TIMEOUT);
        (this.pool.run(call, { transferList: [port2] }) as Promise<BootAnswer>).then(resolve, reject);
      });
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
    } catch (cause) {
      void this.kill();
      const { name: kind, message } = cause as Error;
      throw new ThreadStartError(
        `No worker thread could be started from ${module}: ${kind === 'Error' ? '' : `${kind}: `}${message} ` +
          `The job is put back and tried again for 10 minutes.`,
        { cause },
      );
    } finally {
      clearTimeout(timer);
      this.onDeath = undefined;
    }
  }

  /** See `JobThreads.run`. */
  async run(job: ActiveJob, { signal, slot, started }: ThreadRunControl): Promise<Outcome> {
    signal.throwIfAborted();
    const run = ++this.runs;
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      this.server.send({ type: 'abort', run, reason: carry(signal.reason) });
      timer = setTimeout(() => void this.kill(), this.shared.settings.grace);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.current = { run, slot, started };
    this.guard.watch(this.pool.threads[0], () => {
      this.isOverMemory = true;
      void this.kill();
    });
    try {
      return (await this.pool.run({ type: 'run', run, job } satisfies ThreadCall)) as Outcome;
    } catch (error) {
      void this.kill();
      signal.throwIfAborted();
      const isOverMemory = this.isOverMemory || (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
      throw crashed(job, error as Error, isOverMemory ? this.shared.settings.memory : undefined);
    } finally {
      this.guard.stop();
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      this.current = undefined;
    }
  }

  /** It boots or runs a job. */
  get isBusy(): boolean {
    return this.current !== undefined || this.onDeath !== undefined;
  }

  /** Closes the thread's app, then ends the thread. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT)));
    const closed = this.pool.run({ type: 'close' } satisfies ThreadCall).catch(() => undefined);
    await Promise.race([closed, late]);
    clearTimeout(timer);
    await this.kill();
  }

  async kill(): Promise<void> {
    this.isEnded = true;
    await this.pool.destroy();
    this.end();
  }

  private end(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.isEnded = true;
    clearTimeout(this.idleTimer);
    this.server.close();
    this.onDeath?.(this.error ?? new Error('it ended while it was booting, for example by process.exit()'));
    this.shared.onEnd(this, this.error);
  }
}

/** @param memory that it may use, where it needed more */
function crashed(job: ActiveJob, error: Error, memory: number | undefined): TaskCrashedError {
  const what = `Job ${job.id} of task ${job.task}`;
  const exit = /^worker exited with code: (\d+)$/.exec(error.message);
  if (memory !== undefined) {
    return new TaskCrashedError(
      `${what} needed more than the ${memory} MB of memory that its thread may use. Read and write in smaller parts, ` +
        `or raise threads.memory in TasksModule.forRoot().`,
    );
  }
  if (exit) {
    return new TaskCrashedError(
      `${what} ended its thread with code ${exit[1]}, by process.exit() or in native code. Throw an error instead.`,
    );
  }
  return new TaskCrashedError(
    `${what} ended its thread by an error that nobody caught: ${error.message} ` +
      `Await every promise, and listen to the 'error' events of what the task opens.`,
    { cause: error },
  );
}
