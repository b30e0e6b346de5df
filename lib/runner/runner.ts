import { Logger } from '@nestjs/common';
import { decodeWith, encodeWith, isEncoded, type PayloadCodec } from '../contracts/codec.js';
import type { ActiveJob, ActiveRun, Engine, Slot } from '../contracts/engine.js';
import { TaskCrashedError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';
import type { TaskDefaults } from '../contracts/settings.js';
import type { Signature } from '../contracts/signature.js';
import type { TaskRegistry } from '../discovery/task-definition.js';
import type { LimitRules } from '../limits/limit-rules.js';
import { Deadlines } from './deadlines.js';
import { DecodedRun, EncodedRun } from './encoded-run.js';
import { FollowedRun } from './followed-run.js';
import type { JobThreads } from './job-threads.js';
import { LoneRun } from './lone-run.js';
import { LoopWatch } from './loop-watch.js';
import { missingLimits } from './missing-limits.js';
import { RunLog, type RunLogger } from './run-log.js';
import { decodeArguments } from './run-payload.js';
import { fail } from './settle.js';
import { Solitude, type JobSource, type Presence } from './solitude.js';
import { planTask, type TaskActivity, type TaskPlan } from './task-plan.js';
import { TaskRun, type SharedByRuns } from './task-run.js';
import { settleUnknownTask } from './unknown-task.js';

/** What a runner needs from the rest of the app. */
export interface RunnerOptions {
  /** Asked when a job comes, so that tasks may be discovered after the runner is made. */
  registry: () => TaskRegistry;
  defaults: TaskDefaults;
  /** A job that ended its process this often is failed. */
  maxCrashes: number;
  /** Absent: arguments and results are stored as they are. */
  codec?: PayloadCodec;
  /** In milliseconds. */
  lockDuration: number;
  engine: Pick<Engine, 'progress' | 'log' | 'begin'>;
  /** Enqueues the call that an `onFailed` made, under this id. */
  dispatch: (signature: Signature<unknown>, jobId: string) => Promise<void>;
  /** @default Nest's Logger with the context `TasksRunner` */
  logger?: RunLogger;
  /** Where tasks with `isolate` run. Absent: here, as all others. */
  threads?: JobThreads;
  /** Runs the jobs of another runner, which tells their outcomes and what follows a failure. */
  isInThread?: boolean;
  /** Answers a number from 0 up to 1, for the jitter of waits. @default Math.random */
  random?: () => number;
}

/** Carries out one job at a time that it is given, and answers with its outcome. */
export class Runner {
  private readonly registry: () => TaskRegistry;
  private readonly maxCrashes: number;
  private readonly isInThread: boolean;
  private readonly engine: RunnerOptions['engine'];
  private readonly dispatch: RunnerOptions['dispatch'];
  private readonly codec?: PayloadCodec;
  private readonly plans = new Map<string, TaskPlan>();
  private readonly shared: SharedByRuns;
  /** Of the event loop, while this process has workers. */
  readonly loop: LoopWatch;

  constructor(options: RunnerOptions) {
    const { registry, defaults, maxCrashes, codec, lockDuration, engine, dispatch } = options;
    const { logger, random, threads, isInThread = false } = options;
    this.isInThread = isInThread;
    this.registry = registry;
    this.maxCrashes = maxCrashes;
    this.engine = engine;
    this.dispatch = dispatch;
    this.codec = codec;
    const log = new RunLog(logger ?? new Logger('TasksRunner'), isInThread);
    this.loop = new LoopWatch({
      lockDuration,
      activities: () => this.activitiesHere(),
      report: (found) => log.blockedLoop(found, lockDuration),
    });
    this.shared = {
      engine,
      defaults,
      deadlines: new Deadlines(),
      log,
      loop: this.loop,
      solitude: new Solitude(),
      random: random ?? Math.random,
      threads,
    };
  }

  /** Of the tasks that can hold up this event loop. */
  private *activitiesHere(): Generator<readonly [task: string, activity: TaskActivity]> {
    for (const [name, { activity, definition }] of this.plans) {
      if (!definition.options.isolate || !this.shared.threads) yield [name, activity];
    }
  }

  /** Begins a run: resolve → decode → limits → context → call under a deadline → outcome → what follows a failure. */
  start(job: ActiveJob, slot: Slot): ActiveRun {
    const plan = this.resolve(job.task);
    if (!plan) return answered(this.putBackUnknown(job));
    const { codec } = this;
    if (!codec || !isEncoded(job.args)) return this.begin(job, plan, slot);
    // Decoding may be what ends the process: it is part of the last try, and never done after that.
    return job.crashes < this.suspectFrom ? this.decode(job, plan, slot, codec) : this.begin({ ...job }, plan, slot);
  }

  private decode(job: ActiveJob, plan: TaskPlan, slot: Slot, codec: PayloadCodec): ActiveRun {
    const args = decodeWith(codec, job.args, `the arguments of ${nameOf(job)}`);
    return new DecodedRun(
      args,
      (json) => this.begin({ ...job, args: json }, plan, slot),
      (error) => this.follow(answered(this.fail(job, plan, error)), job, plan),
    );
  }

  private begin(job: ActiveJob, plan: TaskPlan, slot: Slot): ActiveRun {
    const run = this.run(job, plan, slot);
    return this.follow(this.codec ? this.encode(run, job, plan, this.codec) : run, job, plan);
  }

  private encode(run: ActiveRun, job: ActiveJob, plan: TaskPlan, codec: PayloadCodec): ActiveRun {
    return new EncodedRun(
      run,
      (result) => encodeWith(codec, result, `the result of ${nameOf(job)}`),
      (error) => this.fail(job, plan, error),
    );
  }

  private follow(run: ActiveRun, job: ActiveJob, plan: TaskPlan): ActiveRun {
    const { onFailed } = plan.definition.options;
    if (!onFailed || this.isInThread) return run;
    return new FollowedRun(run, job, { onFailed, dispatch: this.dispatch, log: this.shared.log });
  }

  /** Crashes from which the next run is the last try. */
  get suspectFrom(): number {
    return Math.max(1, this.maxCrashes - 1);
  }

  /** From where jobs come, so that none comes while a run is to be alone. */
  govern(sources: readonly JobSource[]): void {
    this.shared.solitude.govern(sources);
  }

  /** No more jobs come: what waits to be alone goes back at once, for other processes. */
  dismissWaiting(): void {
    this.shared.solitude.dismiss();
  }

  private run(job: ActiveJob, plan: TaskPlan, slot: Slot): ActiveRun {
    if (job.crashes >= this.maxCrashes) return answered(this.failCrashed(job, plan));
    if (this.codec && isEncoded(job.args)) return this.decodeAlone(job, plan, slot, this.codec);
    let args: readonly unknown[];
    let limits: LimitRules | undefined;
    try {
      args = decodeArguments(job);
      limits = missingLimits(job, plan.definition, args);
    } catch (unreadable) {
      return answered(this.fail(job, plan, unreadable));
    }
    if (limits) return answered({ type: 'declined', delay: 0, rules: { ...job.rules, ...limits } });
    // It was being decoded when jobs were held.
    if (this.shared.solitude.isWanted) return answered({ type: 'declined', delay: 0 });
    if (job.crashes < this.suspectFrom) return new TaskRun(job, plan, this.shared, args, slot);
    return this.runAlone(job, (presence) => new TaskRun(job, plan, this.shared, args, slot, presence));
  }

  private runAlone(job: ActiveJob, call: (presence: Presence) => ActiveRun): ActiveRun {
    const { solitude, log } = this.shared;
    const begin = () => this.engine.begin({ id: job.id, queue: job.queue });
    return new LoneRun(job, { solitude, log, begin, call });
  }

  /** Decodes the arguments in place, so that who follows the run knows them too. */
  private decodeAlone(job: ActiveJob, plan: TaskPlan, slot: Slot, codec: PayloadCodec): ActiveRun {
    return this.runAlone(
      job,
      (presence) =>
        new DecodedRun(
          decodeWith(codec, job.args, `the arguments of ${nameOf(job)}`),
          (json) => {
            job.args = json;
            try {
              return new TaskRun(job, plan, this.shared, decodeArguments(job), slot, presence);
            } catch (unreadable) {
              return answered(this.fail(job, plan, unreadable));
            }
          },
          (error) => answered(this.fail(job, plan, error)),
        ),
    );
  }

  private resolve(task: string): TaskPlan | undefined {
    const known = this.plans.get(task);
    if (known) return known;
    const definition = this.registry().get(task);
    if (!definition) return undefined;
    const plan = planTask(definition, this.shared.defaults);
    this.plans.set(task, plan);
    return plan;
  }

  private putBackUnknown(job: ActiveJob): Outcome {
    const { defaults, log, random } = this.shared;
    const outcome = settleUnknownTask(job, this.registry().names(), Date.now(), defaults.keepFailed, random);
    log.unknownTask(job, outcome);
    return outcome;
  }

  private failCrashed(job: ActiveJob, plan: TaskPlan): Outcome {
    const error = new TaskCrashedError(
      `Job ${job.id} of task ${job.task} was being run ${job.crashes} times when its process died, so it is not run again. ` +
        'Look for what ends the process (memory, process.exit, a native crash), or blocks its event loop for longer ' +
        'than lockDuration, then enqueue the job anew.',
    );
    return this.fail(job, plan, error);
  }

  private fail(job: ActiveJob, plan: TaskPlan, error: unknown): Outcome {
    const outcome = fail(error, plan.keepFailed);
    this.shared.log.settled(job, job.options.attempts ?? plan.attempts, outcome);
    return outcome;
  }
}

/** A run that was over before its task was called. */
function answered(outcome: Outcome): ActiveRun {
  return { outcome: Promise.resolve(outcome), abort: () => undefined };
}

function nameOf({ id, task }: ActiveJob): string {
  return `job ${id} of task ${task}`;
}
