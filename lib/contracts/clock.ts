/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Where the time comes from for all that is due later: delays, retries, schedules. A test may bring its own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls back once, after so many milliseconds or, where that is more than 24 days, earlier.
   *
   * @param keepsAlive whether the process stays alive for it
   */
  setTimer(callback: () => void, milliseconds: number, keepsAlive?: boolean): ClockTimer;
  /** Harmless for a timer that has rung. */
  clearTimer(timer: ClockTimer | undefined): void;
}

/** What a clock knows its timer by. */
export type ClockTimer = NodeJS.Timeout | number;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (callback, milliseconds, keepsAlive = false) => {
    const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), LONGEST_TIMER));
    return keepsAlive ? timer : timer.unref();
  },
  clearTimer: (timer) => clearTimeout(timer),
};
