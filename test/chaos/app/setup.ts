import type { TasksModuleOptions } from 'nestjs-tasks';

/**
 * Which tasks a build of the app has: `next` has one that `current` has not, and lacks one that it has; `scheduled` has
 * those that run by the clock beside.
 */
export type Version = 'current' | 'next' | 'scheduled';

/** What a process of the app is told when it starts. */
export interface AppSetup {
  version: Version;
  /** The ledger of this process: a file of its own. */
  ledger: string;
  options: TasksModuleOptions;
}

/** A share of the calls that a producer makes. */
export interface LoadPart {
  task: TaskName;
  /** Out of the sum of all shares. */
  share: number;
  /** Longest delay of a call, in ms. */
  delay?: number;
}

export type TaskName =
  'plain' | 'retried' | 'limited' | 'single' | 'forgotten' | 'stubborn' | 'pill' | 'retired' | 'introduced';

/** What a producer enqueues, and how fast. */
export interface Load {
  jobs: number;
  /** Spread evenly over this time, in ms. */
  over: number;
  seed: number;
  parts: readonly LoadPart[];
  /** How many keys of limited and unique tasks there are. @default 20 */
  keys?: number;
  /** Longest time that a task takes, in ms. */
  longest: number;
}

/** Runs that each task needs when nothing happens to it. */
export const ATTEMPTS: Readonly<Record<TaskName, number>> = {
  plain: 1,
  retried: 2,
  limited: 1,
  single: 1,
  forgotten: 1,
  stubborn: 1,
  pill: 1,
  retired: 1,
  introduced: 1,
};

/** What a planned failure says; the line that it is logged by tells nothing of an outage. */
export const PLANNED = 'The first attempt fails, as planned.';

/** Of the keys of `limited`: so many runs at a time. */
export const LIMIT = 3;

/** The name of a task in the ledger is that in the queue. */
export function attemptsOf(task: string): number {
  return ATTEMPTS[task as TaskName];
}
