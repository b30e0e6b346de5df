/** `unknown` is an id that nobody knows: never enqueued, or no longer kept. */
export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed' | 'cancelled' | 'expired' | 'unknown';

/** Of the jobs that wait in a queue, all `high` ones start before the first `normal` one, and these before `low`. */
export type Priority = 'high' | 'normal' | 'low';

/** What happens to a call whose key is taken: the earlier job answers for it, it is refused, or it takes the place. */
export type OnConflict = 'return' | 'reject' | 'replace';

/** An error as it is stored: plain text, whatever was thrown. */
export interface JobError {
  name: string;
  message: string;
  stack?: string;
  code?: string;
}

/** How a run ended; `crashed`: its process died or lost the job's lock. Absent on a run that is going on. */
export type RunOutcome = 'completed' | 'retry' | 'snooze' | 'failed' | 'cancelled' | 'crashed' | 'shutdown';

/** One run as engines store it, times in milliseconds since the epoch. */
export interface RunRecord {
  /** From 1. Runs that used no attempt (snooze, shutdown, crash) repeat their number. */
  attempt: number;
  startedAt: number;
  endedAt?: number;
  /** Host and process that ran it. */
  worker: string;
  outcome?: RunOutcome;
  error?: JobError;
}

/** The options that travel with a job: only what its call set, durations in milliseconds. The task's own fill the rest at the run. */
export interface JobOptions {
  attempts?: number;
  backoff?: StoredBackoff;
  timeout?: number | false;
  /** 0: nothing is kept. */
  keepResult?: number;
}

/**
 * How a job stands to the other jobs of its queue, settled when it is enqueued. Most jobs have no rules, and cost no
 * engine anything for them. Keys begin with the task's name; times are milliseconds.
 */
export interface JobRules {
  /** Absent: normal. */
  priority?: Exclude<Priority, 'normal'>;
  /** Since the epoch: from this instant on the job does not start any more. */
  expiresAt?: number;
  unique?: { key: string; until: 'started' | 'finished' | number; onConflict: OnConflict };
  /** At most `max` runs of this key at a time. */
  concurrency?: { key: string; max: number };
  /** Never more than `max` starts of this key in any `per`. */
  rate?: { key: string; max: number; per: number };
  /** Absent where there is none. */
  tags?: readonly string[];
  /** What made the job. Absent: a call. */
  schedule?: ScheduleOfJob;
}

/** The schedule that made a job, times in milliseconds since the epoch. */
export interface ScheduleOfJob {
  name: string;
  /** The instant at which it was due; absent for a run that was triggered, or that a deploy began with. */
  tick?: number;
  /** The last tick before that made a job. */
  previousTick?: number;
  /** Ticks before this one that nobody enqueued. */
  missed: number;
}

export interface NewJob {
  id: string;
  queue: string;
  task: string;
  /** JSON list. */
  args: string;
  options: JobOptions;
  rules?: JobRules;
  metadata?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  enqueuedAt: number;
  /** Milliseconds since the epoch; absent: at once. */
  dueAt?: number;
}

/** Why a waiting job does not start. */
export type WaitingFor = 'rate' | 'concurrency' | 'pause';

/** A backoff in milliseconds, with nothing left to fill in. */
export interface StoredBackoff {
  type: 'fixed' | 'exponential';
  delay: number;
  factor: number;
  max: number;
  /** 0.2 is ± 20 %. */
  jitter: number;
}

/** Where a job is: its id, and its queue where that is known. */
export interface JobAddress {
  id: string;
  /** Absent: it is looked for in every declared queue. */
  queue?: string;
}

/** Everything an engine knows of one job: plain data, JSON as text, times in milliseconds since the epoch. */
export interface JobRecord {
  id: string;
  queue: string;
  task: string;
  state: Exclude<JobState, 'unknown'>;
  /** The arguments as a JSON list; whatever stands there where the data is broken. */
  args: string;
  options: JobOptions;
  rules?: JobRules;
  metadata: Readonly<Record<string, string>>;
  enqueuedAt: number;
  /** The instant a delayed job may start. */
  dueAt?: number;
  /** Start of the latest run. */
  startedAt?: number;
  finishedAt?: number;
  /** Oldest first; the last 100. */
  runs: readonly RunRecord[];
  attemptsMade: number;
  crashes: number;
  /** JSON. */
  progress?: string;
  logs: readonly string[];
  /** JSON; absent for a task that answered nothing. */
  result?: string;
  error?: JobError;
  /** Absent: it waits for a place, or it does not wait. */
  waitingFor?: WaitingFor;
}

// ── What callers see ────────────────────────────────────────────────────────────────────────────

/** One run of a job. Runs that used no attempt repeat its number. */
export interface Run {
  attempt: number;
  startedAt: Date;
  endedAt?: Date;
  /** Host and process that ran it. */
  worker: string;
  outcome?: RunOutcome;
  error?: JobError;
}

/** Everything known about a job. */
export interface JobInfo<R = unknown> {
  id: string;
  task: string;
  queue: string;
  state: JobState;
  args: readonly unknown[];
  enqueuedAt: Date;
  /** The instant a delayed job may start. */
  dueAt?: Date;
  startedAt?: Date;
  finishedAt?: Date;
  runs: readonly Run[];
  /** Runs it may take in total. */
  attempts: number;
  /** Runs that ended with their process. */
  crashes: number;
  /** Why a waiting job does not start; absent where it waits for its turn only. */
  waitingFor?: WaitingFor;
  progress?: unknown;
  logs: readonly string[];
  result?: R;
  error?: JobError;
  priority: Priority;
  tags: readonly string[];
  metadata: Readonly<Record<string, string>>;
  /** Name of the schedule that made the job. */
  schedule?: string;
  /** The instant at which its schedule was due; absent for a run that was triggered, or that a deploy began with. */
  tick?: Date;
}

/** A job that has used its last attempt. In `TaskFailedError` its arguments are as `redact` shows them. */
export interface FailedJob {
  id: string;
  task: string;
  args: readonly unknown[];
  error: JobError;
  runs: readonly Run[];
}
