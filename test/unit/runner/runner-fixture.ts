import { vi } from 'vitest';
import type { ActiveJob, ActiveRun, Slot } from '../../../lib/contracts/engine.js';
import type { TaskDefaults } from '../../../lib/contracts/settings.js';
import type { TaskDefinition } from '../../../lib/discovery/task-definition.js';
import { Runner, type RunnerOptions } from '../../../lib/runner/runner.js';

export const DEFAULTS: TaskDefaults = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000, factor: 2, max: 600_000, jitter: 0 },
  timeout: 300_000,
  keepResult: 3_600_000,
  keepFailed: { age: 604_800_000, count: 10_000 },
};

export const SLOT: Slot = { lend: () => async () => undefined };

export function aJob(changes: Partial<ActiveJob> = {}): ActiveJob {
  return {
    id: '7',
    queue: 'default',
    task: 'MailTasks.sendEmail',
    args: '[]',
    options: {},
    metadata: {},
    enqueuedAt: Date.UTC(2026, 0, 1),
    attemptsMade: 0,
    crashes: 0,
    runs: [],
    ...changes,
  };
}

export function aTask(
  invoke: TaskDefinition['invoke'],
  options: TaskDefinition['options'] = {},
  contractOptions?: TaskDefinition['contractOptions'],
): TaskDefinition {
  return { name: 'MailTasks.sendEmail', place: 'MailTasks.sendEmail', options, contractOptions, invoke };
}

/** A runner that knows one task, with an engine and a logger that remember what they were told. */
export function aRunner(task: TaskDefinition, changes: Partial<RunnerOptions> = {}) {
  const engine = {
    progress: vi.fn(async () => undefined),
    log: vi.fn(async () => undefined),
    begin: vi.fn(async () => true),
  };
  const dispatch = vi.fn(async () => undefined);
  const logger = { warn: vi.fn(), error: vi.fn() };
  const registry = { get: (name: string) => (name === task.name ? task : undefined), names: () => [task.name] };
  const runner = new Runner({
    registry: () => registry,
    defaults: DEFAULTS,
    maxCrashes: 3,
    lockDuration: 30_000,
    engine,
    dispatch,
    logger,
    ...changes,
  });
  return {
    engine,
    dispatch,
    logger,
    runner,
    start: (job: Partial<ActiveJob> = {}, slot: Slot = SLOT): ActiveRun => runner.start(aJob(job), slot),
    outcome: (job: Partial<ActiveJob> = {}) => runner.start(aJob(job), SLOT).outcome,
  };
}

/** A promise that the test settles, for a task that goes on until it is told. */
export function aGate<T = void>() {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** Whether a promise has settled once everything that is ready now has run. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return settled;
}
