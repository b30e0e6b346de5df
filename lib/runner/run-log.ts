import type { Logger } from '@nestjs/common';
import type { ActiveJob } from '../contracts/engine.js';
import type { Outcome } from '../contracts/outcome.js';
import { toJobError } from './failure.js';
import type { BlockedLoop } from './loop-watch.js';

/** Where the runner's lines go; Nest's `Logger` fits. */
export type RunLogger = Pick<Logger, 'warn' | 'error'>;

/** Unknown names that are warned of, each once; a foreign producer may make a new one with every job. */
const MOST_UNKNOWN_NAMES = 100;

/** Shortest time between two lines about failures that wait for the engine, in ms. */
const WAITING_TOLD_EVERY = 60_000;

/** Tasks that are named in one line. */
const MOST_NAMED = 5;

/** A process that was blocked and computed less than this has waited for something, or stood still. */
const HARDLY_COMPUTED = 0.2;

/** Writes the runner's log lines: one per failed job, one per retry. */
export class RunLog {
  private readonly unknownNames = new Set<string>();
  private waitingToldAt = Number.NEGATIVE_INFINITY;

  /** @param isInThread whether another runner tells of outcomes and of runs that go on */
  constructor(
    private readonly logger: RunLogger,
    private readonly isInThread = false,
  ) {}

  settled(job: ActiveJob, attempts: number, outcome: Outcome): void {
    if (this.isInThread) return;
    const run = `${nameOf(job)}, attempt ${job.attemptsMade + 1}/${attempts}`;
    if (outcome.type === 'failed') this.error(`${run} failed: ${titleOf(outcome.error)}`, outcome.error.stack);
    if (outcome.type === 'retry') this.warn(`${run} failed: ${titleOf(outcome.error)} – retry in ${outcome.delay} ms`);
  }

  unknownTask(job: ActiveJob, outcome: Outcome): void {
    if (outcome.type === 'failed') this.error(outcome.error.message);
    if (outcome.type !== 'snooze' || !outcome.error) return;
    if (this.unknownNames.has(job.task) || this.unknownNames.size >= MOST_UNKNOWN_NAMES) return;
    this.unknownNames.add(job.task);
    this.warn(outcome.error.message);
  }

  brokenBackoff(job: ActiveJob, problem: unknown): void {
    const cause = toJobError(problem).message;
    this.warn(
      `${nameOf(job)}: its backoff function does not work: ${cause} The default backoff is used; ` +
        `answer milliseconds or text such as '30s'.`,
    );
  }

  brokenOnFailed(job: ActiveJob, problem: unknown): void {
    const error = toJobError(problem);
    this.error(
      `${nameOf(job)} failed, and the call that its onFailed makes was not enqueued: ${titleOf(error)} ` +
        'The failure is on record all the same. Put onFailed right, then enqueue the call by hand.',
      error.stack,
    );
  }

  /** In an outage every job that fails would have a line. */
  waitingWithFailure(job: ActiveJob, problem: Error): void {
    if (performance.now() - this.waitingToldAt < WAITING_TOLD_EVERY) return;
    this.waitingToldAt = performance.now();
    this.warn(
      `${nameOf(job)} failed, and the call that its onFailed makes cannot be enqueued yet: ${problem.message} ` +
        'It is tried again every second, as for others that fail meanwhile; the failure is put on record after that.',
    );
  }

  alone(job: ActiveJob, others: number): void {
    const first = others === 0 ? '' : `, as soon as ${others} other run(s) have ended or wait for a job`;
    this.warn(
      `${nameOf(job)} was being run ${job.crashes} times when its process died, so its last try is run alone${first}. ` +
        'This process takes no other jobs meanwhile.',
    );
  }

  aloneNoMore(job: ActiveJob): void {
    this.warn(`${nameOf(job)} has ended its run without ending the process, which takes other jobs again.`);
  }

  blockedLoop({ blocked, computed, tasks, untold }: BlockedLoop, lockDuration: number): void {
    const more = tasks.length > MOST_NAMED ? ` and ${tasks.length - MOST_NAMED} other(s)` : '';
    const how =
      computed < HARDLY_COMPUTED
        ? ' It hardly computed meanwhile: look for synchronous I/O (readFileSync, execSync), a machine that is too busy, or a ' +
          'process that was stopped.'
        : '';
    const before = untold > 0 ? ` So it was ${untold} other time(s) since the line before.` : '';
    this.warn(
      `The event loop was blocked for ${blocked} ms while these tasks ran: ${tasks.slice(0, MOST_NAMED).join(', ')}${more}. ` +
        `No request, timer or renewal of a lock went on meanwhile; after ${lockDuration} ms other workers take the jobs. ` +
        `Do the work in smaller steps with an await between them, or off the event loop: @Task({ isolate: 'thread' }).` +
        how +
        before,
    );
  }

  stillRunning(job: ActiveJob): void {
    if (this.isInThread) return;
    this.warn(
      `${nameOf(job)} was aborted 10 s ago and still runs, so it keeps its place in the worker. ` +
        `Pass context.signal on to what it waits for.`,
    );
  }

  abandoned(job: ActiveJob): void {
    this.error(
      `${nameOf(job)} was aborted 5 min ago and still runs. Its place goes to other jobs now, though it may never end. ` +
        `Let it wait for nothing without an end, and pass context.signal on.`,
    );
  }

  private warn(line: string): void {
    this.write(() => this.logger.warn(line));
  }

  private error(line: string, stack?: string): void {
    this.write(() => (stack === undefined ? this.logger.error(line) : this.logger.error(line, stack)));
  }

  /** A logger that throws must not cost the job its outcome. */
  private write(line: () => void): void {
    try {
      line();
    } catch {
      // There is nowhere left to say it.
    }
  }
}

function nameOf(job: ActiveJob): string {
  return `Job ${job.id} of task ${job.task}`;
}

function titleOf(error: { name: string; message: string }): string {
  return `${error.name}: ${error.message}`;
}
