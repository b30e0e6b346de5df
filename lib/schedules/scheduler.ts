import { createHash } from 'node:crypto';
import type { Clock } from '../contracts/clock.js';
import type { EngineSchedules } from '../contracts/engine-schedules.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { PlannedSchedule } from './planned-schedule.js';
import { QueueTicker } from './queue-ticker.js';
import { ScheduleFollower } from './schedule-follower.js';
import type { TickJobs } from './tick-jobs.js';
import type { TickReport } from './tick-report.js';

/** What a scheduler needs from the rest of the app. */
export interface SchedulerParts {
  engine: EngineSchedules;
  settings: TasksSettings;
  /** Asked when it starts, so that tasks may be discovered after it is made. */
  declared: () => readonly PlannedSchedule[];
  clock: Clock;
  jobs: TickJobs;
  report: TickReport;
}

/** Ticks the schedules of the queues that this process works. */
export class Scheduler {
  private readonly tickers: QueueTicker[] = [];
  private readonly followers: ScheduleFollower[] = [];
  private stopping: Promise<void> | undefined;

  constructor(private readonly parts: SchedulerParts) {}

  start(): void {
    // The app was closed while it was booting.
    if (this.stopping) return;
    const { engine, settings, clock, jobs, report } = this.parts;
    const declared = this.parts.declared();
    const deploy = settings.schedules.deploy ?? deployOf(declared);
    for (const queue of settings.workerQueues) {
      const ticker = new QueueTicker(queue, engine, clock, jobs, report, deploy);
      const follower = new ScheduleFollower(ticker, engine, clock, settings.schedules);
      const own = declared.filter((schedule) => schedule.queue === queue);
      if (own.length > 0) ticker.add(own);
      follower.start();
      this.tickers.push(ticker);
      this.followers.push(follower);
    }
  }

  /** Ticks no more; resolves when nothing is under way. A second call is harmless. */
  stop(): Promise<void> {
    this.stopping ??= Promise.all([...this.followers, ...this.tickers].map((part) => part.stop())).then(
      () => undefined,
    );
    return this.stopping;
  }

  /** The ticker of a queue that this process works. */
  tickerOf(queue: string): QueueTicker | undefined {
    return this.tickers.find((ticker) => ticker.queue === queue);
  }
}

/** The same in all processes of a deploy, unless somebody names it. */
function deployOf(declared: readonly PlannedSchedule[]): string {
  const texts = declared.map(({ name, task, ruleText }) => `${name}\n${task}\n${ruleText}`).toSorted();
  return createHash('sha1').update(texts.join('\n')).digest('base64url');
}
