import type { MessagePort } from 'node:worker_threads';
import type { ActiveJob, JobObserver, Settlement, Slot } from '../contracts/engine.js';
import type { TasksError } from '../contracts/errors.js';
import type { JobAddress } from '../contracts/job.js';
import type { Outcome } from '../contracts/outcome.js';
import type { Runner } from '../runner/runner.js';
import { uncarry } from './carried-error.js';
import type { EnginePart, FromThread, ToThread } from './messages.js';

interface Asked {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

let present: ThreadHost | undefined;

/** The thread's connection to the main thread; undefined in the main thread, and in threads that are not of a pool. */
export function presentThread(): ThreadHost | undefined {
  return present;
}

/** Makes this thread one of a pool: a module that boots in it works for the main thread. */
export function becomeThread(port: MessagePort): ThreadHost {
  return (present = new ThreadHost(port));
}

/** What stands in a thread for the engine's worker: it runs the jobs that come, and asks the main thread for the rest. */
export class ThreadHost {
  /** Set by the module that boots in this thread. */
  runner?: Runner;

  private asked = 0;
  private readonly waiting = new Map<number, Asked>();
  private readonly notes = new Set<Promise<unknown>>();
  private readonly observers = new Map<number, JobObserver>();
  private readonly followers = new Map<number, () => void>();
  private current?: { run: number; abort(reason: TasksError): void };
  /** An abort that came before its run did. */
  private early?: ToThread & { type: 'abort' };

  constructor(readonly port: MessagePort) {
    port.on('message', (message: ToThread) => this.receive(message));
  }

  /** Runs a job to its end. Its timeout is the main thread's: this one may be too busy to notice. */
  async run(run: number, job: ActiveJob): Promise<Outcome> {
    this.send({ type: 'started', run });
    // Earlier crashes are the main thread's to judge as well.
    const timeless = { ...job, crashes: 0, options: { ...job.options, timeout: false as const } };
    const active = this.runner!.start(timeless, this.slotOf(run));
    this.current = { run, abort: (reason) => active.abort(reason) };
    if (this.early?.run === run) this.receive(this.early);
    try {
      const outcome = await active.outcome;
      await active.ended;
      // Progress and log lines that the task did not wait for are about this run too.
      await Promise.allSettled(this.notes);
      return outcome;
    } finally {
      this.current = undefined;
    }
  }

  request(part: EnginePart, method: string, args: readonly unknown[]): Promise<unknown> {
    const answer = this.ask((id) => ({ type: 'request', id, part, method, args }));
    if (method === 'progress' || method === 'log') this.noteUntilAnswered(answer);
    return answer;
  }

  watch(job: JobAddress, observer: JobObserver): () => void {
    const id = ++this.asked;
    this.observers.set(id, observer);
    this.send({ type: 'watch', id, job });
    return () => {
      if (this.observers.delete(id)) this.send({ type: 'unwatch', id });
    };
  }

  follow(queue: string, changed: () => void): () => void {
    const id = ++this.asked;
    this.followers.set(id, changed);
    this.send({ type: 'follow', id, queue });
    return () => {
      if (this.followers.delete(id)) this.send({ type: 'unwatch', id });
    };
  }

  private slotOf(run: number): Slot {
    return {
      lend: () => {
        const id = ++this.asked;
        this.send({ type: 'lend', id, run });
        let returned: Promise<void> | undefined;
        return () => (returned ??= this.reclaim(id));
      },
    };
  }

  private noteUntilAnswered(answer: Promise<unknown>): void {
    const forget = (): boolean => this.notes.delete(answer);
    this.notes.add(answer);
    answer.then(forget, forget);
  }

  private async reclaim(lent: number): Promise<void> {
    await this.ask((id) => ({ type: 'reclaim', id, lent }));
  }

  private receive(message: ToThread): void {
    switch (message.type) {
      case 'abort':
        if (this.current?.run === message.run) this.current.abort(uncarry(message.reason) as TasksError);
        else this.early = message;
        return;
      case 'reply': {
        const asked = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        if (message.error) asked?.reject(uncarry(message.error));
        else asked?.resolve(message.value);
        return;
      }
      case 'watched':
        this.observers.get(message.id)?.progress?.(message.progress);
        return;
      case 'changed':
        this.followers.get(message.id)?.();
        return;
      case 'settled': {
        const observer = this.observers.get(message.id);
        this.observers.delete(message.id);
        observer?.settled(settlementOf(message));
      }
    }
  }

  private ask(message: (id: number) => FromThread): Promise<unknown> {
    const id = ++this.asked;
    const answer = new Promise<unknown>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.send(message(id));
    return answer;
  }

  private send(message: FromThread): void {
    this.port.postMessage(message);
  }
}

function settlementOf({ settlement, error }: ToThread & { type: 'settled' }): Settlement {
  return error ? { state: 'lost', error: uncarry(error) as TasksError } : (settlement as Settlement);
}
