import type { EngineSchedules } from './engine-schedules.js';
import type { TasksError } from './errors.js';
import type { JobAddress, JobError, JobOptions, JobRecord, JobRules, JobState, NewJob, RunRecord } from './job.js';
import type { Outcome } from './outcome.js';

export type { NewJob } from './job.js';

/**
 * Keeps jobs and gives them out. The whole of what a storage has to do; plain data in and out, batches first.
 *
 * An engine never sees a task's definition, its handler or Nest: the runner decides, the engine obeys.
 * The conformance suite (`test/conformance`) is the definition of right behaviour.
 */
export interface Engine {
  readonly name: string;

  /** Makes jobs of schedules, each tick once in the cluster. */
  readonly schedules: EngineSchedules;

  /**
   * Stores all jobs in one atomic step, or none. An id that its queue knows already keeps the earlier job.
   *
   * A job whose unique key is taken is not stored either, or takes the place of the one that has the key.
   *
   * @throws UnknownQueueError for a queue that was not declared
   * @throws DuplicateJobError when a key is taken that was to be free; then none of the jobs is stored
   * @throws EngineUnavailableError when the storage cannot be reached in time, or after `close()`
   */
  enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]>;

  /** Starts taking jobs of one queue. Answers at once; what goes wrong later is logged and tried again. */
  work(queue: string, options: WorkOptions, start: StartRun): EngineWorker;

  /**
   * Notes that the run of a job which was handed over unbegun (`WorkOptions.suspectFrom`) begins now; harmless for any
   * other run. False: the job is no longer in the hands of this process, so its task must not be called.
   *
   * @throws EngineUnavailableError when the storage cannot be reached in time
   */
  begin(job: JobAddress): Promise<boolean>;

  /** Reads jobs; undefined for an id that nobody knows. Data that cannot be read never throws. */
  find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]>;

  /** The state only, which is cheaper than `find`. */
  state(job: JobAddress): Promise<JobState>;

  /**
   * Tells the observer of everything that happens to a job from now on, and of its end even if that has happened.
   * Pushed, never polled. Answers a function that ends the watch.
   */
  watch(job: JobAddress, observer: JobObserver): () => void;

  /** Stores and publishes a progress value (JSON). */
  progress(job: JobAddress, value: string): Promise<void>;

  /** Adds a log line; the last `LOG_LINES` are kept. */
  log(job: JobAddress, line: string): Promise<void>;

  /** How many jobs of a queue are in each state. */
  counts(queue: string): Promise<Record<KnownState, number>>;

  /**
   * One page of a queue's jobs: of one state or tag, or all. What waits comes in the order it will start, ended jobs the
   * latest first. Jobs that come or go between two pages may be missed or met twice.
   */
  list(query: JobQuery): Promise<JobPage>;

  /**
   * Ends jobs that have not ended, in state `cancelled`; of a running one the signal is aborted, wherever it runs, and
   * its outcome dropped. True per job that was ended by this call; an unknown or ended one is left as it is.
   */
  cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]>;

  /**
   * Starts failed, cancelled and expired jobs afresh, with all their attempts and without expiry; earlier runs stay on
   * record. True per job that waits now; false also where another job has its unique key.
   */
  retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]>;

  /** Forgets jobs that are not running; whoever watches is told `unknown`. True per job that was known and is gone. */
  remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]>;

  /**
   * Takes jobs to another queue in one step each, where they wait as before; ended ones but for `completed` start
   * afresh there. False for what runs, has completed, is unknown, or whose id the other queue knows.
   *
   * @throws InvalidOptionsError where the storage cannot do that in one step
   */
  move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]>;

  /**
   * Gives out no more jobs of a queue, in every process or in this one only; running jobs go on. What is enqueued
   * meanwhile waits. The pause of all processes outlives them.
   */
  pause(queue: string, scope: PauseScope): Promise<void>;

  /** Ends a pause of the same scope; harmless where there is none. */
  resume(queue: string, scope: PauseScope): Promise<void>;

  /** Whether the queue is paused in every process, or in this one. */
  isPaused(queue: string): Promise<boolean>;

  /**
   * What keeps the engine and its workers from doing their part at present, each in a sentence; none when all is well.
   * Answers within a second, and may be asked as often as anybody likes. Never rejects.
   */
  problems(): Promise<readonly string[]>;

  /** Ends every connection and timer; whoever still watches is told. A second call is harmless. */
  close(): Promise<void>;
}

/** Log lines kept per job. */
export const LOG_LINES = 1_000;

/** Runs kept per job, the latest: a task may snooze for ever. */
export const RUNS_KEPT = 100;

export type KnownState = Exclude<JobState, 'unknown'>;

export interface JobQuery {
  queue: string;
  /** Absent: every state. */
  state?: KnownState;
  tag?: string;
  /** Of the page before; absent: the first page. */
  cursor?: string;
  /** Most jobs of the page; it may have fewer, or none, and yet not be the last. */
  limit: number;
}

export interface JobPage {
  jobs: readonly JobRecord[];
  /** Absent: there are no more. */
  cursor?: string;
}

/** `cluster`: every process; `process`: this one only. */
export type PauseScope = 'cluster' | 'process';

export interface EnqueuedJob {
  /** Of the job that answers for the call. */
  id: string;
  /** True when the queue knew this id, or the unique key was taken, so that nothing was stored. */
  deduplicated: boolean;
}

export interface WorkOptions {
  /** Most jobs of this queue at a time in this process; at least 1. */
  concurrency: number;
  /** Host and process, stored with each run. */
  worker: string;
  /**
   * A job with so many crashes or more is handed over unbegun: until `Engine.begin()` the death of the process is not
   * counted as a crash of this job. Absent: every job begins when it is handed over.
   */
  suspectFrom?: number;
}

/** Begins a run, synchronously; everything after that is told by the answered `ActiveRun`. */
export type StartRun = (job: ActiveJob, slot: Slot) => ActiveRun;

/** A job in the hands of a worker. */
export interface ActiveJob {
  id: string;
  queue: string;
  task: string;
  /** JSON list as it was stored; may be broken. */
  args: string;
  options: JobOptions;
  rules?: JobRules;
  metadata: Readonly<Record<string, string>>;
  enqueuedAt: number;
  /** Attempts used by earlier runs. */
  attemptsMade: number;
  /** Earlier runs that ended with their process. */
  crashes: number;
  /** Earlier runs, oldest first. */
  runs: readonly RunRecord[];
}

export interface ActiveRun {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  /**
   * The end of the task itself, where the outcome came first (timeout, shutdown); read after the outcome. Until then
   * the slot is kept, and the job is not started again by this worker.
   */
  readonly ended?: Promise<void>;
  /** Aborts the task's signal. */
  abort(reason: TasksError): void;
}

/** The place of one run among a worker's `concurrency`. */
export interface Slot {
  /**
   * Gives the place to other jobs while the run waits for one of them; call the answer to wait for a place again. A run
   * that waits for several jobs lends several times: its place stays away until the last of these waits is over.
   */
  lend(): () => Promise<void>;
}

export interface EngineWorker {
  /**
   * Takes no more jobs; resolves when every run has ended and its outcome is stored. After `abort()` the outcome is
   * enough: a task that ignores its signal does not hold up the end. A second call is harmless.
   */
  stop(): Promise<void>;
  /** Aborts the runs that are still going. */
  abort(reason: TasksError): void;
  /**
   * Takes no jobs until the answered function is called; running ones go on, and what is on its way goes back unused.
   * Of several holds each is ended by itself.
   */
  hold(): () => void;
  /** Runs in progress. */
  readonly active: number;
}

export interface JobObserver {
  /** A new progress value, JSON. */
  progress?(value: string): void;
  /** Called once, as the last thing. */
  settled(settlement: Settlement): void;
}

/** How a watched job ended. */
export type Settlement =
  | { state: 'completed'; result?: string }
  | { state: 'failed'; error: JobError }
  | { state: 'cancelled' }
  | { state: 'expired' }
  /** Nobody knows the id, or nothing was kept. */
  | { state: 'unknown' }
  /** The engine was closed, or cannot be asked. */
  | { state: 'lost'; error: TasksError };
