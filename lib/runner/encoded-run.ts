import type { ActiveRun } from '../contracts/engine.js';
import type { TasksError } from '../contracts/errors.js';
import type { Outcome } from '../contracts/outcome.js';

/** A run that begins when its arguments are decoded. One that is aborted before has never begun. */
export class DecodedRun implements ActiveRun {
  readonly outcome: Promise<Outcome>;
  private run?: ActiveRun;
  private isAborted = false;
  private answer!: (outcome: Outcome | Promise<Outcome>) => void;

  /** @param begin begins the run with the arguments; `fail` with what kept them from being decoded */
  constructor(args: Promise<string>, begin: (args: string) => ActiveRun, fail: (error: unknown) => ActiveRun) {
    this.outcome = new Promise((resolve, reject) => {
      this.answer = resolve;
      args
        .then(
          (json) => () => begin(json),
          (error: unknown) => () => fail(error),
        )
        .then((start) => this.start(start))
        .catch(reject);
    });
  }

  get ended(): Promise<void> | undefined {
    return this.run?.ended;
  }

  abort(reason: TasksError): void {
    if (this.run) {
      this.run.abort(reason);
      return;
    }
    this.isAborted = true;
    this.answer({ type: 'declined', delay: 0 });
  }

  private start(begin: () => ActiveRun): void {
    if (this.isAborted) return;
    this.run = begin();
    this.answer(this.run.outcome);
  }
}

/** A run whose result is encoded before it is told. */
export class EncodedRun implements ActiveRun {
  readonly outcome: Promise<Outcome>;

  /** @param fail answers the outcome where the result cannot be encoded */
  constructor(
    private readonly run: ActiveRun,
    encode: (result: string) => Promise<string>,
    fail: (error: unknown) => Outcome,
  ) {
    this.outcome = run.outcome.then((outcome) => {
      if (outcome.type !== 'completed' || outcome.result === undefined) return outcome;
      return encode(outcome.result).then((result) => ({ ...outcome, result }), fail);
    });
  }

  get ended(): Promise<void> | undefined {
    return this.run.ended;
  }

  abort(reason: TasksError): void {
    this.run.abort(reason);
  }
}
