import type { MessagePort } from 'node:worker_threads';
import type { Engine, Settlement, Slot } from '../contracts/engine.js';
import { TasksError } from '../contracts/errors.js';
import { carry } from './carried-error.js';
import { RELAYED, type FromThread, type ToThread } from './messages.js';
import { writeLine } from './relay-logger.js';

/** The run that a thread is busy with, as far as its messages are about it. */
export interface ServedRun {
  readonly run: number;
  readonly slot: Slot;
  readonly started: () => void;
}

/** Answers one thread: it calls the engine of the main thread, lends the place of its run, and logs, all by message. */
export class RelayServer {
  private readonly watches = new Map<number, () => void>();
  private readonly lent = new Map<number, () => Promise<void>>();
  private isClosed = false;

  /** @param current answers the run that the thread is busy with */
  constructor(
    private readonly engine: Engine,
    private readonly port: MessagePort,
    private readonly current: () => ServedRun | undefined,
  ) {
    port.on('message', (message: FromThread) => this.receive(message));
    // What keeps the process going is a run, not the connection.
    port.unref();
  }

  send(message: ToThread): void {
    if (!this.isClosed) this.port.postMessage(message);
  }

  /** The thread is gone. */
  close(): void {
    this.isClosed = true;
    for (const unwatch of this.watches.values()) unwatch();
    this.watches.clear();
    this.lent.clear();
    this.port.close();
  }

  private receive(message: FromThread): void {
    switch (message.type) {
      case 'started': {
        const run = this.current();
        if (run?.run === message.run) run.started();
        return;
      }
      case 'request':
        void this.answer(message.id, () => this.call(message));
        return;
      case 'watch':
        this.watch(message);
        return;
      case 'follow':
        this.watches.set(
          message.id,
          this.engine.schedules.follow(message.queue, () => this.send({ type: 'changed', id: message.id })),
        );
        return;
      case 'unwatch':
        this.watches.get(message.id)?.();
        this.watches.delete(message.id);
        return;
      case 'lend': {
        const run = this.current();
        if (run?.run === message.run) this.lent.set(message.id, run.slot.lend());
        return;
      }
      case 'reclaim': {
        const reclaim = this.lent.get(message.lent);
        this.lent.delete(message.lent);
        void this.answer(message.id, async () => reclaim?.());
        return;
      }
      case 'line':
        writeLine(message.level, message.values);
    }
  }

  private async call({ part, method, args }: FromThread & { type: 'request' }): Promise<unknown> {
    const known: readonly string[] = RELAYED[part];
    if (!known.includes(method)) throw new TypeError(`An engine has no method '${method}'.`);
    const target: object = part === 'engine' ? this.engine : this.engine.schedules;
    return (Reflect.get(target, method) as (...args: readonly unknown[]) => unknown).apply(target, [...args]);
  }

  private async answer(id: number, step: () => Promise<unknown>): Promise<void> {
    try {
      this.send({ type: 'reply', id, value: await step() });
    } catch (error) {
      this.send({ type: 'reply', id, error: carry(error) });
    }
  }

  private watch({ id, job }: FromThread & { type: 'watch' }): void {
    let isSettled = false;
    const settled = (settlement: Settlement): void => {
      isSettled = true;
      this.watches.delete(id);
      const error = settlement.state === 'lost' ? carry(settlement.error) : undefined;
      this.send({ type: 'settled', id, settlement: error ? { state: 'lost' } : settlement, error });
    };
    try {
      const progress = (value: string): void => this.send({ type: 'watched', id, progress: value });
      const unwatch = this.engine.watch(job, { progress, settled });
      if (isSettled) unwatch();
      else this.watches.set(id, unwatch);
    } catch (error) {
      settled({ state: 'lost', error: error instanceof TasksError ? error : new TasksError(String(error)) });
    }
  }
}
