import type { JobState, NewJob } from './job.js';

/** What happens to a tick while an earlier run of its schedule has not ended; one that waits for its retry has not. */
export type Overlap = 'skip' | 'queue' | 'allow';

/**
 * The part of an engine that makes jobs of schedules. It knows neither rules nor time zones: whoever ticks says what is
 * due, and the engine lets each tick through once in the cluster.
 *
 * Times are milliseconds since the epoch by the engine's own clock, so that all processes agree.
 */
export interface EngineSchedules {
  /**
   * Decides about ticks of one queue, in their order. Each is one atomic step with the job that it makes.
   *
   * @throws EngineUnavailableError when the storage cannot be reached in time; the same ticks again do no harm
   */
  tick(queue: string, ticks: readonly NewTick[]): Promise<TickAnswers>;

  /**
   * Reads what is kept of schedules, with the definition of one that was set; undefined where nothing is. With a `rule`,
   * the schedule is known from now on, and its definition is left out.
   */
  read(queue: string, schedules: readonly ScheduleAddress[]): Promise<ScheduleStates>;

  /**
   * Stores the definition (JSON) of a schedule, or removes the schedule with all that is kept of it.
   *
   * @returns false when nothing changed: the same definition is stored, or there is none to remove
   */
  set(queue: string, name: string, definition: string | undefined): Promise<boolean>;

  /** One page of what was set and removed after a version; 0: of all that is stored. */
  changes(queue: string, since: number): Promise<ScheduleChanges>;

  /** Calls back soon after definitions have changed. A notice may get lost. Answers a function that ends it. */
  follow(queue: string, changed: () => void): () => void;

  /** Makes no jobs of a schedule, in every process, until the pause is ended by `undefined`. */
  pause(queue: string, name: string, pause: SchedulePause | undefined): Promise<void>;
}

/** Something for which a schedule may make a job. */
export type NewTick = DueTick | StartOfDeploy | Trigger;

/** An instant at which a schedule was due. */
export interface DueTick {
  kind: 'tick';
  schedule: string;
  /** Of a schedule that was set: the version of its definition, so that an older one makes no job. */
  version?: number;
  at: number;
  /** Ticks between `after` and this one, which nobody enqueued as far as the caller knows. */
  missed: number;
  /** The instant up to which the caller knows the schedule to be done. */
  after: number;
  overlap: Overlap;
  /** Most jobs that ticks of the schedule make. Absent: no limit. */
  limit?: number;
  /** Has `rules.schedule`, to which the engine adds the previous tick. */
  job: NewJob;
}

/** The first run of a schedule in a deploy: once for each deploy. */
export interface StartOfDeploy {
  kind: 'start';
  schedule: string;
  deploy: string;
  job: NewJob;
}

/** A run that somebody asked for, whatever pause, overlap and limit say. */
export interface Trigger {
  kind: 'trigger';
  schedule: string;
  job: NewJob;
}

export interface TickAnswers {
  now: number;
  /** In the order of the ticks. */
  answers: readonly TickAnswer[];
}

export type TickAnswer =
  /** Its job is stored. */
  | { type: 'accepted' }
  /** This tick or a later one was decided about before. */
  | { type: 'known'; done: number }
  /** It is done up to another instant than the caller thinks, so that `missed` is to be counted again. */
  | { type: 'moved'; done: number }
  /** It is not due by the engine's clock. */
  | { type: 'early' }
  | { type: 'paused' }
  /** An earlier run has not ended, or another job has the unique key: that is `by`. */
  | { type: 'skipped'; by?: string }
  /** The schedule has reached its limit. */
  | { type: 'over' }
  /** The schedule was removed or set anew. */
  | { type: 'gone' };

export interface ScheduleAddress {
  name: string;
  /** A text that is another one when the schedule is due at other instants. What was due under another rule is not missed. */
  rule?: string;
}

export interface ScheduleStates {
  now: number;
  states: readonly (ScheduleState | undefined)[];
}

export interface SchedulePause {
  reason?: string;
  since: number;
}

/** What an engine keeps of a schedule. */
export interface ScheduleState {
  /** Up to this instant nothing is to be made up. */
  done: number;
  /** The last tick that made a job. */
  lastTick?: number;
  /** Of the job of the last tick. */
  lastState?: JobState;
  pause?: SchedulePause;
  /** Jobs that ticks have made. */
  count: number;
  missed: number;
  skipped: number;
  /** JSON. */
  definition?: string;
}

export interface ScheduleChanges {
  now: number;
  /** To be asked from next. */
  version: number;
  /** There are more. */
  hasMore: boolean;
  /** What was removed can no longer be told, so that all that is known is to be dropped, and read from 0. */
  isReset: boolean;
  set: readonly { name: string; version: number; definition: string }[];
  removed: readonly string[];
}

/** How long what is kept of a schedule outlives its last tick, in milliseconds. */
export const KEEP_SCHEDULE = 30 * 24 * 60 * 60 * 1_000;

/** A tick may be so many milliseconds ahead of the engine's clock. */
export const EARLY_TICK = 1_000;

/** A tick that lies so many milliseconds ahead was stored by a clock that was wrong, and counts as none. */
export const WRONG_CLOCK = 60 * 60 * 1_000;

/** Most definitions of one page. */
export const CHANGES_PAGE = 1_000;

/** Removed schedules that are remembered, so that processes can be told of them. */
export const REMOVED_KEPT = 1_000;

/** Starts of deploys that are remembered in a queue. */
export const STARTS_KEPT = 1_000;
