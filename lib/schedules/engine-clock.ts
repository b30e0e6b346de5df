import type { Clock } from '../contracts/clock.js';

/** A sample that took longer tells little, in milliseconds. */
const LONGEST_ROUND_TRIP = 500;

/**
 * The time of the engine, which all processes share, told by this process' clock: schedules are due at the same time
 * everywhere, however wrong the clock of a machine is.
 */
export class EngineClock {
  private offset: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds since the epoch, whole. */
  now(): number {
    return Math.round(this.clock.now() + (this.offset ?? 0));
  }

  /** Asks for something that comes with the time of the engine. */
  async ask<T extends { now: number }>(question: () => Promise<T>): Promise<T> {
    const sent = this.clock.now();
    const answer = await question();
    const received = this.clock.now();
    const roundTrip = received - sent;
    // As if the answer had taken no time: rather a little late than early.
    const offset = answer.now - received;
    const isWrong = this.offset === undefined || Math.abs(offset - this.offset) > Math.max(roundTrip, 0);
    if (isWrong || roundTrip <= LONGEST_ROUND_TRIP) this.offset = offset;
    return answer;
  }
}
