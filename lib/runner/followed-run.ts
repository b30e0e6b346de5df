import type { ActiveJob, ActiveRun } from '../contracts/engine.js';
import {
  EngineUnavailableError,
  InvalidOptionsError,
  TaskShutdownError,
  type TasksError,
} from '../contracts/errors.js';
import type { FailedJob, JobError, RunRecord } from '../contracts/job.js';
import { readArguments, toRun } from '../contracts/job-view.js';
import type { Outcome } from '../contracts/outcome.js';
import { TaskSignature, type Signature } from '../contracts/signature.js';
import type { TaskOptions } from '../contracts/task-options.js';
import { shortHash } from '../limits/unique-key.js';
import type { RunLog } from './run-log.js';
import { isDropped } from './settle.js';
import { WORKER_NAME } from './worker-name.js';

/** Wait before a call that could not be stored is tried again, in milliseconds. */
const TRY_AGAIN_AFTER = 1_000;

/** Longest id that a job may have. */
const LONGEST_ID = 256;

/** What a failure is followed by. */
export interface Follower {
  onFailed: NonNullable<TaskOptions['onFailed']>;
  dispatch: (signature: Signature<unknown>, jobId: string) => Promise<void>;
  log: RunLog;
}

/**
 * A run whose failure is told only when the call that `onFailed` makes of it has been stored. If the process dies in
 * between, the run is repeated, and the id of the call is the same again: nothing is lost, and nothing stored twice.
 */
export class FollowedRun implements ActiveRun {
  readonly outcome: Promise<Outcome>;
  private readonly startedAt = Date.now();
  private readonly aborts = new Set<TasksError>();
  private endWait?: () => void;

  constructor(
    private readonly run: ActiveRun,
    private readonly job: ActiveJob,
    private readonly follower: Follower,
  ) {
    this.outcome = run.outcome.then((outcome) => (outcome.type === 'failed' ? this.follow(outcome) : outcome));
  }

  get ended(): Promise<void> | undefined {
    return this.run.ended;
  }

  abort(reason: TasksError): void {
    this.aborts.add(reason);
    this.run.abort(reason);
    this.endWait?.();
  }

  private async follow(failed: Outcome & { type: 'failed' }): Promise<Outcome> {
    const { job, follower } = this;
    if (this.isDropped) return failed;
    try {
      const signature = this.signatureOf(failed.error);
      if (await this.dispatch(signature, signature.options.jobId ?? followingId(job))) return failed;
    } catch (problem) {
      follower.log.brokenOnFailed(job, problem);
      return failed;
    }
    return this.isDropped ? failed : { type: 'snooze', delay: 0, because: 'shutdown' };
  }

  private signatureOf(error: JobError): TaskSignature<unknown> {
    const signature: unknown = this.follower.onFailed(this.failureOf(error));
    if (signature instanceof TaskSignature) return signature;
    throw new InvalidOptionsError(
      `onFailed of task ${this.job.task} answered no call of a task. ` +
        'Answer one, such as task(AlertTasks).send(failure.id), at once and not by a promise.',
    );
  }

  /** Tries as long as the engine is out of reach. False: the run was aborted meanwhile. */
  private async dispatch(signature: TaskSignature<unknown>, jobId: string): Promise<boolean> {
    const { job, follower } = this;
    for (let tries = 0; tries === 0 || !this.isGivenUp; tries++) {
      try {
        await follower.dispatch(signature, jobId);
        return true;
      } catch (problem) {
        if (!(problem instanceof EngineUnavailableError)) throw problem;
        if (tries === 0) follower.log.waitingWithFailure(job, problem);
      }
      if (!this.isGivenUp) await this.wait();
    }
    return false;
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, TRY_AGAIN_AFTER);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private failureOf(error: JobError): FailedJob {
    const { id, task, args, runs } = this.job;
    return { id, task, args: readArguments(args), error, runs: [...runs, this.record(error)].map(toRun) };
  }

  private record(error: JobError): RunRecord {
    const { startedAt, job } = this;
    const attempt = job.attemptsMade + 1;
    return { attempt, startedAt, endedAt: Date.now(), worker: WORKER_NAME, outcome: 'failed', error };
  }

  private get isDropped(): boolean {
    return [...this.aborts].some(isDropped);
  }

  private get isGivenUp(): boolean {
    return this.isDropped || [...this.aborts].some((reason) => reason instanceof TaskShutdownError);
  }
}

/** The same for each repetition of a run; another one once the job was started afresh and has failed again. */
function followingId({ id, runs }: ActiveJob): string {
  const failures = runs.filter(({ outcome }) => outcome === 'failed').length;
  const end = failures === 0 ? ':failed' : `:failed:${failures + 1}`;
  return `${id.length + end.length > LONGEST_ID ? shortHash(id) : id}${end}`;
}
