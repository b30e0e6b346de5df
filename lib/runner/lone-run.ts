import type { ActiveJob, ActiveRun } from '../contracts/engine.js';
import type { TasksError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';
import type { RunLog } from './run-log.js';
import type { Presence, Solitude, Stay } from './solitude.js';

/** What a run that is to be alone is made of. */
export interface LoneRunParts {
  solitude: Solitude;
  log: RunLog;
  /** Notes that the run begins; false: the job is not in this process' hands any more. */
  begin: () => Promise<boolean>;
  call: (presence: Presence) => ActiveRun;
}

/**
 * The last try of a job that may be what ends its processes. It waits until no other run is going on, so that none of
 * them dies with it; if the process dies before that, this was no try.
 */
export class LoneRun implements ActiveRun {
  readonly outcome: Promise<Outcome>;
  private readonly stay: Stay;
  private run?: ActiveRun;
  private isGivenUp = false;

  constructor(
    private readonly job: ActiveJob,
    private readonly parts: LoneRunParts,
  ) {
    const { solitude, log } = parts;
    this.stay = solitude.ask();
    log.alone(job, solitude.busy);
    this.outcome = this.carryOut();
  }

  get ended(): Promise<void> | undefined {
    return this.run?.ended;
  }

  abort(reason: TasksError): void {
    if (this.run) return this.run.abort(reason);
    this.isGivenUp = true;
    this.stay.leave();
  }

  private async carryOut(): Promise<Outcome> {
    if (!(await this.stay.entered) || !(await this.begins())) {
      this.stay.leave();
      return { type: 'declined', delay: 0 };
    }
    this.run = this.parts.call(this.stay);
    const outcome = await this.run.outcome;
    void this.tellEnd();
    return outcome;
  }

  private async begins(): Promise<boolean> {
    const isNoted = await this.parts.begin().catch(() => false);
    return isNoted && !this.isGivenUp;
  }

  private async tellEnd(): Promise<void> {
    await this.run?.ended;
    // A run that was over before its task was called has not left.
    this.stay.leave();
    this.parts.log.aloneNoMore(this.job);
  }
}
