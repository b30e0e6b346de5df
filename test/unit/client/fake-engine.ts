import type {
  EnqueuedJob,
  Engine,
  JobObserver,
  JobPage,
  JobQuery,
  KnownState,
  NewJob,
  PauseScope,
  Settlement,
} from '../../../lib/contracts/engine.js';
import type { JobAddress, JobRecord, JobState } from '../../../lib/contracts/job.js';
import type { TasksSettings } from '../../../lib/contracts/settings.js';
import type { TaskDefinition, TaskRegistry } from '../../../lib/discovery/task-definition.js';

/** Remembers what it was given; the test decides how jobs go on. */
export class FakeEngine implements Engine {
  readonly name = 'fake';
  /** One entry per call of `enqueue`. */
  readonly batches: (readonly NewJob[])[] = [];
  readonly records = new Map<string, JobRecord>();
  readonly observers = new Set<JobObserver>();
  readonly watched: JobAddress[] = [];
  readonly pauses: string[] = [];
  /** One entry per call of `list`. */
  readonly queries: JobQuery[] = [];
  /** One entry per call of `cancel`, `retry`, `remove` and `move`. */
  readonly actions: { name: string; ids: readonly string[]; toQueue?: string }[] = [];
  /** Told to whoever begins to watch, at once. */
  settlement?: Settlement;
  findError?: Error;

  get jobs(): NewJob[] {
    return this.batches.flat();
  }

  enqueue(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const known = new Set(this.jobs.map(({ id }) => id));
    this.batches.push(jobs);
    return Promise.resolve(jobs.map(({ id }) => ({ id, deduplicated: known.has(id) })));
  }

  find(jobs: readonly JobAddress[]): Promise<readonly (JobRecord | undefined)[]> {
    if (this.findError) return Promise.reject(this.findError);
    return Promise.resolve(jobs.map(({ id }) => this.records.get(id)));
  }

  state(job: JobAddress): ReturnType<Engine['state']> {
    return Promise.resolve(this.records.get(job.id)?.state ?? 'unknown');
  }

  watch(job: JobAddress, observer: JobObserver): () => void {
    this.watched.push(job);
    this.observers.add(observer);
    if (this.settlement) observer.settled(this.settlement);
    return () => this.observers.delete(observer);
  }

  list(query: JobQuery): Promise<JobPage> {
    this.queries.push(query);
    const { queue, state, tag, cursor = '0', limit } = query;
    const jobs = [...this.records.values()].filter(
      (job) =>
        job.queue === queue &&
        (state === undefined || job.state === state) &&
        (tag === undefined || job.rules?.tags?.includes(tag)),
    );
    const end = Number(cursor) + limit;
    return Promise.resolve({
      jobs: jobs.slice(Number(cursor), end),
      ...(end < jobs.length && { cursor: String(end) }),
    });
  }

  counts(queue: string): Promise<Record<KnownState, number>> {
    const counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, expired: 0 };
    for (const job of this.records.values()) if (job.queue === queue) counts[job.state]++;
    return Promise.resolve(counts);
  }

  cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.act('cancel', jobs, ['waiting', 'delayed', 'active'], (job) => (job.state = 'cancelled'));
  }

  retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.act('retry', jobs, ['failed', 'cancelled', 'expired'], (job) => (job.state = 'waiting'));
  }

  remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    const states: JobState[] = ['waiting', 'delayed', 'completed', 'failed', 'cancelled', 'expired'];
    return this.act('remove', jobs, states, (job) => this.records.delete(job.id));
  }

  move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]> {
    const states: JobState[] = ['waiting', 'delayed', 'failed', 'cancelled', 'expired'];
    const moved = this.act('move', jobs, states, (job) => (job.queue = toQueue));
    this.actions.at(-1)!.toQueue = toQueue;
    return moved;
  }

  private act(
    name: string,
    jobs: readonly JobAddress[],
    states: readonly JobState[],
    change: (job: JobRecord) => void,
  ): Promise<readonly boolean[]> {
    this.actions.push({ name, ids: jobs.map(({ id }) => id) });
    return Promise.resolve(
      jobs.map(({ id }) => {
        const job = this.records.get(id);
        if (!job || !states.includes(job.state)) return false;
        change(job);
        return true;
      }),
    );
  }

  pause(queue: string, scope: PauseScope): Promise<void> {
    this.pauses.push(`${scope} ${queue}`);
    return Promise.resolve();
  }

  resume(queue: string, scope: PauseScope): Promise<void> {
    this.pauses.splice(this.pauses.indexOf(`${scope} ${queue}`), 1);
    return Promise.resolve();
  }

  problems(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  isPaused(queue: string): Promise<boolean> {
    return Promise.resolve(this.pauses.some((pause) => pause.endsWith(` ${queue}`)));
  }

  settle(settlement: Settlement): void {
    for (const observer of this.observers) observer.settled(settlement);
  }

  push(progress: string): void {
    for (const observer of this.observers) observer.progress?.(progress);
  }

  record(id: string, changes: Partial<JobRecord> = {}): void {
    this.records.set(id, {
      id,
      queue: 'default',
      task: 'Mail.send',
      state: 'completed',
      args: '["a"]',
      options: {},
      metadata: {},
      enqueuedAt: 1_000,
      runs: [],
      attemptsMade: 0,
      crashes: 0,
      logs: [],
      ...changes,
    });
  }

  schedules = { tick: refuse, read: refuse, set: refuse, changes: refuse, follow: refuse, pause: refuse };
  work = refuse;
  begin = refuse;
  progress = refuse;
  log = refuse;
  close = () => Promise.resolve();
}

function refuse(): never {
  throw new Error('The client has no need of this.');
}

export function registryOf(...tasks: Partial<TaskDefinition>[]): TaskRegistry {
  const byName = new Map(
    tasks.map((task) => [
      task.name!,
      { place: task.name!, options: {}, invoke: () => undefined, ...task } as TaskDefinition,
    ]),
  );
  return { get: (name) => byName.get(name), names: () => [...byName.keys()] };
}

export const settings: TasksSettings = {
  prefix: 'tasks',
  queues: new Map([
    ['default', { concurrency: 10 }],
    ['mail', { concurrency: 1 }],
    ['slow', { concurrency: 1 }],
  ]),
  workerQueues: [],
  defaults: {
    attempts: 3,
    backoff: { type: 'fixed', delay: 0, factor: 1, max: 0, jitter: 0 },
    timeout: 300_000,
    keepResult: 3_600_000,
    keepFailed: { age: 0, count: 0 },
  },
  lockDuration: 30_000,
  stalledInterval: 15_000,
  maxCrashes: 3,
  enqueueTimeout: 2_000,
  shutdownGrace: 30_000,
  failFast: false,
  maxPayload: 1_000,
  schedules: { overlap: 'skip', catchUp: 'none', catchUpWindow: 3_600_000 },
};
