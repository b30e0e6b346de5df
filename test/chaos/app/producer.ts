import { Injectable } from '@nestjs/common';
import { EngineUnavailableError, task, TaskAdmin, TaskQueue, TasksError, type Signature } from 'nestjs-tasks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../harness/random.js';
import type { JobReport } from '../judge/delivery.js';
import { LINES } from '../judge/ledger.js';
import { LedgerWriter } from './ledger-writer.js';
import type { Load, LoadPart, TaskName } from './setup.js';
import { ChaosTasks, CountedTasks, IntroducedTasks, RetiredTasks } from './tasks.js';

type Call = (key: string, milliseconds: number) => Signature<unknown>;

const { plain, retried, limited, single, forgotten, stubborn, pill } = task(ChaosTasks);
const { counted } = task(CountedTasks);
const { retired } = task(RetiredTasks);
const { introduced } = task(IntroducedTasks);
const CALLS: Readonly<Record<TaskName, Call>> = {
  plain,
  retried,
  limited,
  single,
  forgotten,
  stubborn,
  pill,
  retired,
  introduced,
};

/** Few, so that they meet. */
const KEYS = 20;

/** How often new calls are made, in ms. */
const PACE = 20;

const FLOOD_PART = 1_000;
const FLOOD_BACKLOG = 5_000;

const REPORTED_AT_A_TIME = 200;

/** The side of the app that enqueues. What it is told goes into its ledger. */
@Injectable()
export class Producer {
  constructor(
    private readonly queue: TaskQueue,
    private readonly admin: TaskAdmin,
    private readonly ledger: LedgerWriter,
  ) {}

  /** Answers when every call has been answered or refused. */
  async load({ jobs, over, seed, parts, longest, keys = KEYS }: Load): Promise<void> {
    const random = new Random(seed);
    const startedAt = Date.now();
    const calls: Promise<void>[] = [];
    while (calls.length < jobs) {
      const due = Math.min(jobs, Math.ceil((jobs * (Date.now() - startedAt + PACE)) / over));
      while (calls.length < due)
        calls.push(this.enqueue(random, pickPart(random, parts), `key-${random.below(keys)}`, longest));
      await sleep(PACE);
    }
    await Promise.all(calls);
  }

  /** Enqueues jobs with the numbers from `from` up to `to`, in step with the workers, so that few wait at a time. */
  async flood(from: number, to: number): Promise<void> {
    for (let next = from; next < to; next += FLOOD_PART) {
      const part = Array.from({ length: Math.min(FLOOD_PART, to - next) }, (_, index) => counted(next + index));
      await this.queue.enqueueMany(part);
      while ((await this.open()) > FLOOD_BACKLOG) await sleep(5);
    }
  }

  /** Bytes, after everything that nobody holds is gone. */
  heap(): number {
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  }

  /** How many jobs are not over. */
  async open(): Promise<number> {
    const { waiting, delayed, active } = await this.admin.counts();
    return waiting + delayed + active;
  }

  /** What the library says of those of the jobs that it knows. */
  async reports(ids: readonly string[]): Promise<JobReport[]> {
    const reports: JobReport[] = [];
    for (let from = 0; from < ids.length; from += REPORTED_AT_A_TIME) {
      const infos = await Promise.all(
        ids.slice(from, from + REPORTED_AT_A_TIME).map((id) => this.queue.job(id).info()),
      );
      for (const info of infos) {
        if (!info) continue;
        const runs = info.runs.map(({ worker, startedAt }) => ({ pid: pidOf(worker), startedAt: startedAt.getTime() }));
        reports.push({ id: info.id, state: info.state, runs });
      }
    }
    return reports;
  }

  /** Forgets every job that is over. */
  async clear(queues: readonly string[]): Promise<void> {
    for (const queue of queues) await this.admin.remove({ queue });
  }

  private async enqueue(random: Random, part: LoadPart, key: string, longest: number): Promise<void> {
    const call = CALLS[part.task](key, Math.round(random.between(1, longest)));
    const options = part.delay === undefined ? {} : { delay: Math.round(random.between(1, part.delay)) };
    const at = Date.now();
    try {
      const { id, deduplicated } = await this.queue.enqueue(call, options);
      this.ledger.write(LINES.ack({ id, task: part.task, deduplicated, at: Date.now() }));
    } catch (error) {
      const { jobId: id, sent } = error instanceof EngineUnavailableError ? error : { jobId: undefined, sent: true };
      const code = error instanceof TasksError ? error.code : String(error);
      this.ledger.write(LINES.refusal({ id, sent, code, took: Date.now() - at, at: Date.now() }));
    }
  }
}

/** A worker is called by its host and its process. */
function pidOf(worker: string): number {
  return Number(worker.slice(worker.lastIndexOf(':') + 1));
}

function pickPart(random: Random, parts: readonly LoadPart[]): LoadPart {
  let rest = random.next() * parts.reduce((sum, { share }) => sum + share, 0);
  return parts.find(({ share }) => (rest -= share) < 0) ?? parts[0];
}
