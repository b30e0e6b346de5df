import type { ActiveJob, ActiveRun, Engine, Slot } from '../contracts/engine.js';
import { TaskShutdownError, TaskTimeoutError, ThreadStartError, type TasksError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';
import type { TaskDefaults } from '../contracts/settings.js';
import { runScope } from '../contracts/task-context.js';
import type { TaskDefinition } from '../discovery/task-definition.js';
import { backoffDelay } from './backoff.js';
import type { Deadlines, Timed } from './deadlines.js';
import type { JobThreads } from './job-threads.js';
import type { LoopWatch } from './loop-watch.js';
import { putOff } from './put-off.js';
import { RunContext } from './run-context.js';
import type { RunLog } from './run-log.js';
import { encodeResult } from './run-payload.js';
import { tame } from './failure.js';
import { fail, isDropped, isSteering, settle } from './settle.js';
import type { Presence, Solitude } from './solitude.js';
import type { TaskPlan } from './task-plan.js';

/** What a task gets to end by itself at a shutdown, in milliseconds. */
const SHUTDOWN_GRACE = 500;

/** When a task that goes on after its outcome is worth a warning, in milliseconds. */
const STILL_RUNNING_AFTER = 10_000;

/** How long a task may go on after its outcome until its place is given to other jobs, in milliseconds. */
const LONGEST_OVERTIME = 5 * 60_000;

/** What all runs of one runner share. */
export interface SharedByRuns {
  engine: Pick<Engine, 'progress' | 'log'>;
  defaults: TaskDefaults;
  deadlines: Deadlines;
  log: RunLog;
  solitude: Solitude;
  loop: Pick<LoopWatch, 'look'>;
  random: () => number;
  /** Absent: every task is called here. */
  threads?: JobThreads;
}

/** One call of a task's method, from its start to its end; the outcome may come before the end. */
export class TaskRun implements ActiveRun, Timed, Slot {
  readonly outcome: Promise<Outcome>;
  deadline = 0;
  place = -1;

  private readonly context: RunContext;
  private answer?: (outcome: Outcome) => void;
  private isAnswered = false;
  private hasEnded = false;
  private end?: Promise<void>;
  private resolveEnd?: () => void;
  private abortReason?: TasksError;
  private isEndingSoon = false;
  /** Waits for other jobs that go on. */
  private lends = 0;
  private isPresent = true;
  /** Of the shutdown's grace, then of the warning that the task still runs. */
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly job: ActiveJob,
    private readonly plan: TaskPlan,
    private readonly shared: SharedByRuns,
    args: readonly unknown[],
    private readonly slot: Slot,
    private readonly presence: Presence = shared.solitude,
  ) {
    this.context = new RunContext(job, job.options.attempts ?? plan.attempts, shared.engine);
    this.outcome = this.begin(args);
  }

  /** Undefined once the task has ended. */
  get ended(): Promise<void> | undefined {
    if (this.hasEnded) return undefined;
    return (this.end ??= new Promise((resolve) => (this.resolveEnd = resolve)));
  }

  abort(reason: TasksError): void {
    if (this.hasEnded || this.isAnswered) return;
    this.shared.deadlines.remove(this);
    this.abortReason ??= reason;
    if (reason instanceof TaskShutdownError) this.endSoon();
    else this.timer ??= this.warnLater();
    this.context.abort(reason);
  }

  /** While the task waits for another job, its run is no neighbour of others. */
  lend(): () => Promise<void> {
    const takeBack = this.slot.lend();
    this.lends++;
    this.withdraw();
    let returned: Promise<void> | undefined;
    return () => (returned ??= this.goOn(takeBack));
  }

  private async goOn(takeBack: () => Promise<void>): Promise<void> {
    await takeBack();
    if (--this.lends > 0 || this.hasEnded) return;
    await this.presence.comeBack();
    this.isPresent = true;
    if (this.hasEnded) this.withdraw();
  }

  private withdraw(): void {
    if (!this.isPresent) return;
    this.isPresent = false;
    this.presence.leave();
  }

  /** A task that ignores its signal does not hold up the shutdown, whatever aborted it before. */
  private endSoon(): void {
    if (this.isEndingSoon) return;
    this.isEndingSoon = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp(this.putBack()), SHUTDOWN_GRACE);
  }

  private warnLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.shared.log.stillRunning(this.job);
      this.timer = setTimeout(() => this.abandon(), LONGEST_OVERTIME - STILL_RUNNING_AFTER).unref();
    }, STILL_RUNNING_AFTER).unref();
  }

  /** A task that never ends would keep its place for ever. */
  private abandon(): void {
    this.shared.log.abandoned(this.job);
    if (!this.isAnswered) this.answer!(this.putBack());
    this.isAnswered = true;
    this.markEnd();
  }

  /** Called by `Deadlines`. */
  expire(): void {
    const error = new TaskTimeoutError(
      `Job ${this.job.id} of task ${this.job.task} took longer than its timeout of ${this.timeout} ms. ` +
        `Pass context.signal on to what it waits for, so that it stops then; ` +
        `where it needs longer, set a longer timeout, or false for none.`,
    );
    this.giveUp(this.settleThrown(error));
    this.context.abort(error);
  }

  /** A method that answers at once needs no deadline: nothing could have stopped it. */
  private begin(args: readonly unknown[]): Promise<Outcome> {
    const { context, timeout } = this;
    this.presence.enter();
    if (this.threads) return this.beginInThread(this.threads);
    const startedAt = timeout === false ? 0 : performance.now();
    let returned: unknown;
    this.plan.activity.running++;
    this.plan.activity.look = this.shared.loop.look;
    try {
      returned = runScope.run({ context, slot: this }, call, this.plan.definition, args, context);
    } catch (thrown) {
      return Promise.resolve(this.finish(this.settleThrown(thrown)));
    }
    if (!(returned instanceof Promise)) return Promise.resolve(this.finish(this.complete(returned)));
    this.startClock(startedAt);
    return this.follow(returned, (value) => this.complete(value));
  }

  /** The thread decides the outcome, where the classes of errors are known; here are the clock and the end. */
  private beginInThread(threads: JobThreads): Promise<Outcome> {
    const { signal } = this.context;
    const started = (): void => this.startClock(performance.now());
    return this.follow(threads.run(this.job, { signal, slot: this, started }), (outcome) => outcome);
  }

  private startClock(startedAt: number): void {
    const { timeout } = this;
    if (timeout === false || this.hasEnded || this.isAnswered || this.abortReason) return;
    this.deadline = startedAt + timeout;
    this.shared.deadlines.add(this);
  }

  private follow<T>(returned: Promise<T>, settled: (value: T) => Outcome): Promise<Outcome> {
    returned.then(
      (value) => (this.isAnswered ? this.markEnd() : this.answer!(this.finish(settled(value)))),
      (thrown) => (this.isAnswered ? this.markEnd() : this.answer!(this.finish(this.settleThrown(thrown)))),
    );
    return new Promise((resolve) => (this.answer = resolve));
  }

  private complete(value: unknown): Outcome {
    try {
      const result = encodeResult(value, this.job);
      const keep = this.job.options.keepResult ?? this.plan.keepResult;
      return result === undefined ? { type: 'completed', keep } : { type: 'completed', result, keep };
    } catch (error) {
      return fail(error, this.plan.keepFailed);
    }
  }

  private settleThrown(wild: unknown): Outcome {
    const thrown = tame(wild);
    if (this.abortReason instanceof TaskShutdownError && !isSteering(thrown)) return this.putBack();
    const { job, plan, shared } = this;
    if (thrown instanceof ThreadStartError) return putOff(job, thrown, Date.now(), plan.keepFailed, shared.random);
    const attempt = job.attemptsMade + 1;
    return settle(thrown, {
      place: plan.definition.place,
      attempt,
      attempts: this.context.attempts,
      retryOn: plan.retryOn,
      discardOn: plan.discardOn,
      keepFailed: plan.keepFailed,
      backoff: (error) =>
        backoffDelay(
          [job.options.backoff ?? plan.backoff, shared.defaults.backoff],
          { attempt, error },
          shared.random,
          (problem) => shared.log.brokenBackoff(job, problem),
        ),
    });
  }

  private putBack(): Outcome {
    return { type: 'snooze', delay: 0, because: 'shutdown' };
  }

  /** The task has ended with this outcome. */
  private finish(outcome: Outcome): Outcome {
    this.markEnd();
    return this.report(outcome);
  }

  /** Answers before the task has ended; what it answers later is dropped. */
  private giveUp(outcome: Outcome): void {
    this.isAnswered = true;
    this.answer!(this.report(outcome));
    this.timer = this.warnLater();
  }

  /** A line about an outcome that the engine drops would mislead. */
  private report(outcome: Outcome): Outcome {
    if (outcome.type !== 'completed' && !isDropped(this.abortReason)) {
      this.shared.log.settled(this.job, this.context.attempts, outcome);
    }
    return outcome;
  }

  private markEnd(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (!this.threads) {
      this.plan.activity.running--;
      this.plan.activity.look = this.shared.loop.look;
    }
    this.withdraw();
    this.shared.deadlines.remove(this);
    clearTimeout(this.timer);
    this.resolveEnd?.();
  }

  /** Where the task is called; undefined: here. */
  private get threads(): JobThreads | undefined {
    return this.plan.definition.options.isolate && this.shared.threads;
  }

  private get timeout(): number | false {
    return this.job.options.timeout ?? this.plan.timeout;
  }
}

/** A thenable that is no promise (a query builder) starts its work when it is awaited: that too is part of the run. */
function call(definition: TaskDefinition, args: readonly unknown[], context: RunContext): unknown {
  const returned = definition.invoke(args, context);
  if (returned instanceof Promise || !isThenable(returned)) return returned;
  return Promise.resolve(returned);
}

function isThenable(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
