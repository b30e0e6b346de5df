import { createHash } from 'node:crypto';
import { newJob } from '../client/new-job.js';
import type { NewTick } from '../contracts/engine-schedules.js';
import type { NewJob } from '../contracts/engine.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { TaskRegistry } from '../discovery/task-definition.js';
import type { Due } from './due-ticks.js';
import type { PlannedSchedule } from './planned-schedule.js';

/** Makes the jobs of schedules. Times are milliseconds since the epoch, by the clock of the engine. */
export class TickJobs {
  constructor(
    private readonly registry: () => TaskRegistry,
    private readonly settings: TasksSettings,
  ) {}

  /** The tick that is due; a promise only where the task's schema answers one. */
  tick(schedule: PlannedSchedule, { at, missed, after }: Due, now: number, isInTurn = false): Made {
    const { name, limit, version, jitter } = schedule;
    const id = `tick:${name}:${at}`;
    const due = at + (jitter > 0 ? jitterOf(id, jitter) : 0);
    return andThen(this.job(schedule, id, due, now), (job) => ({
      kind: 'tick',
      schedule: name,
      at,
      missed,
      after,
      overlap: isInTurn ? 'queue' : schedule.overlap,
      job: { ...job, rules: { ...job.rules, schedule: { name, tick: at, missed } } },
      ...(limit !== undefined && { limit }),
      ...(version !== undefined && { version }),
    }));
  }

  /** The run that a deploy begins with. */
  start(schedule: PlannedSchedule, deploy: string, now: number): Made {
    return this.without(schedule, now, (job) => ({ kind: 'start', schedule: schedule.name, deploy, job }));
  }

  /** A run that somebody asks for. */
  trigger(schedule: PlannedSchedule, now: number): Made {
    return this.without(schedule, now, (job) => ({ kind: 'trigger', schedule: schedule.name, job }));
  }

  private without(schedule: PlannedSchedule, now: number, make: (job: NewJob) => NewTick): Made {
    const { name } = schedule;
    return andThen(this.job(schedule, undefined, now, now), (job) =>
      make({ ...job, rules: { ...job.rules, schedule: { name, missed: 0 } } }),
    );
  }

  /** @param due from which delay and expiry count */
  private job(
    schedule: PlannedSchedule,
    jobId: string | undefined,
    due: number,
    now: number,
  ): NewJob | Promise<NewJob> {
    const made = newJob(
      schedule.signature,
      jobId === undefined ? undefined : { jobId },
      this.registry(),
      this.settings,
      due,
    );
    return andThen(made, (job) => {
      const dueAt = job.dueAt ?? due;
      return { ...job, queue: schedule.queue, enqueuedAt: now, dueAt: dueAt > now ? dueAt : undefined };
    });
  }
}

type Made = NewTick | Promise<NewTick>;

/** From 0 up to the jitter, the same for the same tick in every process. */
function jitterOf(id: string, jitter: number): number {
  return Math.floor((createHash('sha1').update(id).digest().readUInt32BE() / 2 ** 32) * jitter);
}

function andThen<A, B>(value: A | Promise<A>, next: (value: A) => B): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
