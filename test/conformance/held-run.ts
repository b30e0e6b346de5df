import type { ActiveJob, ActiveRun, Slot } from '../../lib/contracts/engine.js';
import type { TasksError } from '../../lib/contracts/errors.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { deferred } from '../support/eventually.js';

/** A run that the test ends when it wants to. */
export class HeldRun implements ActiveRun {
  private readonly told = deferred<Outcome>();
  private readonly over = deferred();
  readonly outcome = this.told.promise;
  readonly ended?: Promise<void>;
  aborted?: TasksError;

  constructor(
    readonly job: ActiveJob,
    readonly slot: Slot,
    outlivesOutcome: boolean,
  ) {
    if (outlivesOutcome) this.ended = this.over.promise;
  }

  tell(outcome: Outcome): void {
    this.told.resolve(outcome);
  }

  end(): void {
    this.over.resolve();
  }

  abort(reason: TasksError): void {
    this.aborted = reason;
  }
}
