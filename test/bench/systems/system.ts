/** What every job of the bench carries; `i` tells it from all others of its run. */
export interface JobData {
  i: number;
  pad?: string;
}

export type Handler = (data: JobData) => Promise<unknown>;

/** What one row asks of a system beside its defaults. */
export interface SystemSettings {
  port: number;
  /** Finished jobs are kept. */
  keep: boolean;
  /** Runs a job gets in total. */
  attempts: number;
  /** The row waits for results, so that whoever has a switch for events has to turn it on. */
  events: boolean;
  /** How long each job waits for its I/O, in ms; for systems that run elsewhere, as handlers do the waiting here. */
  ioTime: number;
}

/** Jobs that a queue holds, finished ones aside. */
export interface Counts {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** The side that enqueues: connected, with no worker on it. */
export interface Producer {
  /** @param delay in ms */
  add(data: JobData, delay?: number): Promise<unknown>;
  /** The same one by one, where producing is done by another process; absent where it is done by this one. */
  addInTurn?(numbers: readonly number[]): Promise<unknown>;
  /** In one call of the system's bulk method. */
  addMany(list: readonly JobData[]): Promise<unknown>;
  /** Enqueues a job and answers its result once it is there. */
  call(data: JobData): Promise<unknown>;
  counts(): Promise<Counts>;
  /** Enqueues a job that goes before all others; absent where the system has no such thing. */
  addFirst?(data: JobData): Promise<unknown>;
  /** Reads the first 50 waiting jobs; absent where the system has no such thing. */
  list?(): Promise<unknown>;
  close(): Promise<void>;
}

/** The side that works. */
export interface Worker {
  close(): Promise<void>;
}

/** One of the compared libraries, used as its own manual shows. */
export interface System {
  /** Its jobs are enqueued and run by other processes: this one only hears of them, and its CPU time tells nothing. */
  readonly isOutside?: true;
  produce(): Promise<Producer>;
  work(concurrency: number, handler: Handler): Promise<Worker>;
}

export type CreateSystem = (settings: SystemSettings) => System;

export const QUEUE = 'bench';
