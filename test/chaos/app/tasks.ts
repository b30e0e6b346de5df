import { Injectable } from '@nestjs/common';
import { Ctx, Task, TaskContext } from 'nestjs-tasks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LINES } from '../judge/ledger.js';
import { LedgerWriter } from './ledger-writer.js';
import { LIMIT, PLANNED } from './setup.js';

/** What all tasks do: the effect is the line in the ledger. */
@Injectable()
export class Effects {
  constructor(private readonly ledger: LedgerWriter) {}

  async run(context: TaskContext, key: string, milliseconds: number, isDeaf = false): Promise<void> {
    const { jobId: id, task, attempt, signal } = context;
    const { pid } = process;
    this.ledger.write(LINES.start({ id, task, key, attempt, pid, at: Date.now() }));
    try {
      await sleep(milliseconds, undefined, isDeaf ? {} : { signal });
    } catch (error) {
      this.ledger.write(LINES.end({ id, attempt, pid, at: Date.now(), ending: 'stopped' }));
      throw error;
    }
    const ending = task === 'retried' && attempt === 1 ? 'threw' : 'done';
    this.ledger.write(LINES.end({ id, attempt, pid, at: Date.now(), ending }));
    if (ending === 'threw') throw new Error(PLANNED);
  }
}

/** Tasks of every version of the app. */
@Injectable()
export class ChaosTasks {
  constructor(private readonly effects: Effects) {}

  @Task({ name: 'plain', attempts: 1 })
  plain(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds);
  }

  @Task({ name: 'retried', attempts: 2, backoff: 100, queue: 'mail' })
  retried(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds);
  }

  @Task({ name: 'limited', attempts: 1, queue: 'images', concurrency: { max: LIMIT, key: (key: string) => key } })
  limited(key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, key, milliseconds);
  }

  @Task({ name: 'single', attempts: 1, unique: { until: 'finished', key: (key: string) => key } })
  single(key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, key, milliseconds);
  }

  @Task({ name: 'forgotten', attempts: 1, queue: 'mail', keepResult: false })
  forgotten(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds);
  }

  /** Does not listen to its signal. */
  @Task({ name: 'stubborn', attempts: 1 })
  stubborn(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds, true);
  }

  /** Takes its process with it, and whatever else runs there. */
  @Task({ name: 'pill', attempts: 1 })
  async pill(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    await this.effects.run(context, '', milliseconds);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  }
}

/** For very many jobs: one line each, which costs as little as it can. */
@Injectable()
export class CountedTasks {
  constructor(private readonly ledger: LedgerWriter) {}

  @Task({ name: 'counted', attempts: 1, keepResult: false })
  counted(number: number): void {
    this.ledger.write(`${number}\n`);
  }
}

/** Left out of the next version. */
@Injectable()
export class RetiredTasks {
  constructor(private readonly effects: Effects) {}

  @Task({ name: 'retired', attempts: 1 })
  retired(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds);
  }
}

/** New in the next version. */
@Injectable()
export class IntroducedTasks {
  constructor(private readonly effects: Effects) {}

  @Task({ name: 'introduced', attempts: 1 })
  introduced(_key: string, milliseconds: number, @Ctx() context: TaskContext): Promise<void> {
    return this.effects.run(context, '', milliseconds);
  }
}
