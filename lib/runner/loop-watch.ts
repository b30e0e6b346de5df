import type { TaskActivity } from './task-plan.js';

/** Times of the event loop in milliseconds. */
export interface BlockedLoop {
  blocked: number;
  /** How much of that the process computed, from 0 to 1. */
  computed: number;
  /** Names of the tasks that were going on, the busiest first. */
  tasks: readonly string[];
  /** Blocks since the line before that got none of their own. */
  untold: number;
}

/** What a watch needs from the runner. */
export interface LoopWatchParts {
  lockDuration: number;
  /** Every task that has run here. */
  activities: () => Iterable<readonly [task: string, activity: TaskActivity]>;
  report: (found: BlockedLoop) => void;
}

/** A block of this length is worth a line, in milliseconds; a fourth of `lockDuration` where that is less. */
const WORTH_A_LINE = 1_000;
/** Less than that happens on any busy machine. */
const NEVER_WORTH_A_LINE = 100;

/** Shortest time between two lines, in milliseconds. */
const QUIET = 60_000;

/**
 * Notices that tasks have kept the event loop, so that nothing else of the process went on: one coarse timer, which rings
 * late then. Tasks leave a mark when they begin and end, which costs them nothing to speak of.
 */
export class LoopWatch {
  /** The number of the present look, as tasks note it. */
  look = 0;
  private readonly threshold: number;
  private readonly interval: number;
  private timer: NodeJS.Timeout | undefined;
  private lookedAt = 0;
  private cpu = process.cpuUsage();
  private toldAt = -Infinity;
  private untold = 0;

  constructor(
    private readonly parts: LoopWatchParts,
    private readonly quiet = QUIET,
  ) {
    this.threshold = Math.max(NEVER_WORTH_A_LINE, Math.min(WORTH_A_LINE, parts.lockDuration / 4));
    this.interval = this.threshold / 4;
  }

  start(): void {
    this.lookedAt = performance.now();
    this.timer ??= setInterval(() => this.lookAgain(), this.interval).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private lookAgain(): void {
    const now = performance.now();
    const elapsed = now - this.lookedAt;
    const blocked = elapsed - this.interval;
    const { cpu } = this;
    this.cpu = process.cpuUsage();
    if (blocked >= this.threshold) {
      const used = (this.cpu.user - cpu.user + this.cpu.system - cpu.system) / 1_000;
      this.tell(now, Math.round(blocked), Math.min(1, used / elapsed));
    }
    this.lookedAt = now;
    this.look++;
  }

  private tell(now: number, blocked: number, computed: number): void {
    const tasks = this.tasksSinceLastLook();
    // It was the app itself, or the whole process stood still while nothing ran.
    if (tasks.length === 0) return;
    if (now - this.toldAt < this.quiet) {
      this.untold++;
      return;
    }
    const { untold } = this;
    this.toldAt = now;
    this.untold = 0;
    this.parts.report({ blocked, computed, tasks, untold });
  }

  private tasksSinceLastLook(): string[] {
    return [...this.parts.activities()]
      .filter(([, { running, look }]) => running > 0 || look === this.look)
      .toSorted(([, one], [, other]) => other.running - one.running)
      .map(([task]) => task);
  }
}
