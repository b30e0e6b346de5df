import type { Outcome } from '../../contracts/outcome.js';
import { toFinishArguments, type EndedRun } from './outcome-arguments.js';
import type { ScriptArgument } from './scripts.js';

/** What a worker's next turn takes to Redis: ended runs, and jobs that arrived without a lock. */
export class Outbox {
  /** Ids. */
  readonly arrived: string[] = [];
  /** Told once they are written; empty while nobody listens. */
  events: { run: EndedRun; outcome: Outcome }[] = [];
  /** A part of it may have been written already. */
  isRepeated = false;
  /** The runs, as `turn.lua` reads them. */
  readonly arguments: ScriptArgument[] = [];

  get hasRuns(): boolean {
    return this.arguments.length > 0;
  }

  get isEmpty(): boolean {
    return !this.hasRuns && this.arrived.length === 0;
  }

  add(run: EndedRun, outcome: Outcome, isListening: boolean): void {
    this.arguments.push(...toFinishArguments(run, outcome));
    if (isListening) this.events.push({ run, outcome });
  }

  /** Gives back a job whose run does not begin, in front of those given back before: each becomes the first in line. */
  giveBack(run: EndedRun, delay: number): void {
    this.arguments.unshift(...toFinishArguments(run, { type: 'declined', delay }));
  }

  /**
   * What goes out after a turn that failed: all of it again, and then what has ended since.
   *
   * @param wasSent whether it may have been written
   */
  followedBy(later: Outbox, wasSent: boolean): Outbox {
    const all = new Outbox();
    for (const { arrived, arguments: values, events } of [this, later]) {
      all.arrived.push(...arrived);
      for (const value of values) all.arguments.push(value);
      all.events.push(...events);
    }
    all.isRepeated = this.isRepeated || later.isRepeated || wasSent;
    return all;
  }
}
