import type { ActiveJob, Slot } from '../contracts/engine.js';
import type { Outcome } from '../contracts/outcome.js';

/** What a run in another thread is steered by. */
export interface ThreadRunControl {
  /** Aborted with the reason for which the run is to end. */
  signal: AbortSignal;
  slot: Slot;
  /** Called when the task's method is about to be called: from then on its timeout counts. */
  readonly started: () => void;
}

/** Carries out jobs off the event loop. All that the runner knows of threads. */
export interface JobThreads {
  /**
   * Runs one job from its arguments to its outcome; settles when the run has ended, so that it never goes on after that.
   *
   * @throws TaskCrashedError when the run ended its thread
   * @throws ThreadStartError when there is no thread that could run it
   * @throws the reason of the signal, when the run did not end by itself in time
   */
  run(job: ActiveJob, control: ThreadRunControl): Promise<Outcome>;
  /** Ends the threads: those that work at once, the others after their app is closed. */
  close(): Promise<void>;
  /** Ends every thread at once, also while `close()` waits. */
  kill(): void;
}
