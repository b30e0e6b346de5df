import type { ActiveRun, EngineWorker, StartRun, WorkOptions } from '../../contracts/engine.js';
import type { TasksError } from '../../contracts/errors.js';
import type { Outcome } from '../../contracts/outcome.js';
import { broken, guarded } from '../guarded-run.js';
import { Holds } from '../holds.js';
import { Slots, type TakenSlot } from '../slots.js';
import { toActiveJob, type EmbeddedJob } from './embedded-job.js';
import type { EmbeddedQueue, JobTaker } from './embedded-queue.js';

/** Takes the jobs of one queue, a few per turn of the event loop, so that nothing else in the process is starved. */
export class EmbeddedWorker implements EngineWorker, JobTaker {
  private readonly start: StartRun;
  private readonly slots: Slots;
  private readonly runs = new Set<ActiveRun>();
  private isTurnDue = false;
  /** Runs whose outcome came before their end. */
  private overdue = 0;
  private isStopped = false;
  private readonly holds = new Holds(() => this.wake());
  private isAborted = false;
  private stopped: Promise<void> | undefined;
  private allEnded: (() => void) | undefined;

  constructor(
    private readonly queue: EmbeddedQueue,
    private readonly options: WorkOptions,
    start: StartRun,
  ) {
    this.start = guarded(start);
    this.slots = new Slots(options.concurrency, () => this.wake());
    queue.attach(this);
  }

  get active(): number {
    return this.runs.size;
  }

  wake(): void {
    if (this.isTurnDue || this.isStopped || this.holds.isHeld) return;
    this.isTurnDue = true;
    setImmediate(this.turn);
  }

  stop(): Promise<void> {
    this.takeNoMore();
    return (this.stopped ??= new Promise((resolve) => {
      this.allEnded = resolve;
      this.tellWhenAllEnded();
    }));
  }

  takeNoMore(): void {
    this.isStopped = true;
    this.queue.detach(this);
  }

  abort(reason: TasksError): void {
    this.isAborted = true;
    for (const run of this.runs) run.abort(reason);
    this.tellWhenAllEnded();
  }

  hold(): () => void {
    return this.holds.add();
  }

  private readonly turn = (): void => {
    this.isTurnDue = false;
    while (this.slots.free > 0 && !this.isStopped && !this.holds.isHeld) {
      const job = this.queue.take(this.options.worker);
      if (!job) return;
      this.begin(job);
    }
  };

  private begin(job: EmbeddedJob): void {
    const slot = this.slots.take();
    const run = this.start(toActiveJob(job), slot);
    this.runs.add(run);
    this.queue.started(job, run);
    run.outcome.then(
      (outcome) => this.obey(job, run, slot, outcome),
      (error: unknown) => this.obey(job, run, slot, broken(error)),
    );
  }

  private obey(job: EmbeddedJob, run: ActiveRun, slot: TakenSlot, outcome: Outcome): void {
    this.queue.settle(job, outcome);
    const end = () => {
      this.runs.delete(run);
      this.queue.release(job);
      slot.release();
      this.tellWhenAllEnded();
    };
    const { ended } = run;
    if (!ended) {
      end();
      return;
    }
    this.overdue++;
    const endLate = () => {
      this.overdue--;
      end();
    };
    ended.then(endLate, endLate);
    this.tellWhenAllEnded();
  }

  private tellWhenAllEnded(): void {
    if (this.runs.size === (this.isAborted ? this.overdue : 0)) this.allEnded?.();
  }
}
