import {
  CHANGES_PAGE,
  EARLY_TICK,
  KEEP_SCHEDULE,
  REMOVED_KEPT,
  STARTS_KEPT,
  WRONG_CLOCK,
  type EngineSchedules,
  type NewTick,
  type ScheduleAddress,
  type ScheduleChanges,
  type SchedulePause,
  type ScheduleState,
  type ScheduleStates,
  type TickAnswer,
  type TickAnswers,
} from '../../contracts/engine-schedules.js';
import type { JobState } from '../../contracts/job.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { Notices } from './notices.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisConnections } from './redis-connections.js';
import { keepArguments, runScript, type ScriptArgument } from './scripts.js';
import { toScriptArguments } from './stored-job.js';

/** Of one script call: Redis serves nobody else meanwhile. */
const TICKS_PER_CALL = 100;
const SCHEDULES_PER_CALL = 500;

/** As `read-schedules.lua` answers it. */
type StoredState = [
  done: string,
  ran: string,
  state: JobState | '',
  pause: string,
  count: string,
  missed: string,
  skipped: string,
  definition: string,
];

type StoredChanges = [
  now: string,
  version: number,
  hasMore: number,
  isReset: number,
  removed: string[],
  ...set: string[],
];

/** What Redis keeps of schedules, in the queue of their jobs. */
export class BullSchedules implements EngineSchedules {
  constructor(
    private readonly connections: RedisConnections,
    private readonly keysOf: (queue: string) => QueueKeys,
    private readonly notices: Notices,
    private readonly options: { token: string; keepStopped: FailedRetention },
  ) {}

  async tick(queue: string, ticks: readonly NewTick[]): Promise<TickAnswers> {
    const { base } = this.keysOf(queue);
    const { token, keepStopped } = this.options;
    const head = [base, token, ...keepArguments(keepStopped), KEEP_SCHEDULE, EARLY_TICK, WRONG_CLOCK, STARTS_KEPT];
    const replies = await Promise.all(
      partsOf(ticks, TICKS_PER_CALL).map((part) =>
        this.connections.run((client) =>
          runScript<[now: string, ...answers: string[][]]>(client, 'ticks', `${base}schedules`, [
            ...head,
            ...part.flatMap((tick) => toTickArguments(base, tick)),
          ]),
        ),
      ),
    );
    const answers = replies.flatMap(([, ...part]) => part).map((answer, index) => toAnswer(answer, ticks[index]));
    return { now: latestOf(replies), answers };
  }

  async read(queue: string, schedules: readonly ScheduleAddress[]): Promise<ScheduleStates> {
    const { base } = this.keysOf(queue);
    const replies = await Promise.all(
      // Without any, the reply tells the time.
      (schedules.length > 0 ? partsOf(schedules, SCHEDULES_PER_CALL) : [[]]).map((part) =>
        this.connections.run((client) =>
          runScript<[now: string, ...states: (StoredState | [])[]]>(client, 'readSchedules', `${base}schedules`, [
            base,
            KEEP_SCHEDULE,
            WRONG_CLOCK,
            ...part.flatMap(({ name, rule }) => [name, rule ?? '']),
          ]),
        ),
      ),
    );
    const states = replies.flatMap(([, ...part]) => part).map(toStateIfKept);
    return { now: latestOf(replies), states };
  }

  async set(queue: string, name: string, definition: string | undefined): Promise<boolean> {
    const { base } = this.keysOf(queue);
    const changed = await this.connections.run((client) =>
      runScript<number>(client, 'setSchedule', `${base}schedules`, [base, name, definition ?? '', REMOVED_KEPT]),
    );
    return changed === 1;
  }

  async changes(queue: string, since: number): Promise<ScheduleChanges> {
    const { base } = this.keysOf(queue);
    const args = [base, since, CHANGES_PAGE, REMOVED_KEPT];
    const [now, version, hasMore, isReset, removed, ...set] = await this.connections.run((client) =>
      runScript<StoredChanges>(client, 'scheduleChanges', `${base}schedules`, args),
    );
    const found = partsOf(set, 3).map(([name, at, definition]) => ({ name, version: Number(at), definition }));
    return { now: Number(now), version, hasMore: hasMore === 1, isReset: isReset === 1, set: found, removed };
  }

  follow(queue: string, changed: () => void): () => void {
    return this.notices.listen(`${this.keysOf(queue).base}schedules`, changed);
  }

  async pause(queue: string, name: string, pause: SchedulePause | undefined): Promise<void> {
    const { base } = this.keysOf(queue);
    const args = [pause ? JSON.stringify(pause) : '', KEEP_SCHEDULE];
    await this.connections.run((client) => runScript(client, 'pauseSchedule', `${base}schedule:${name}`, args));
  }
}

function toTickArguments(base: string, tick: NewTick): ScriptArgument[] {
  const { schedule, kind, job } = tick;
  const [version, ...due] =
    tick.kind === 'tick'
      ? [tick.version ?? '', tick.at, tick.after, tick.missed, tick.overlap, tick.limit ?? 0]
      : [tick.kind === 'start' ? tick.deploy : '', 0, 0, 0, '', 0];
  // The script adds to the last part of the rules.
  const { schedule: own, ...others } = job.rules ?? {};
  const rules = { ...others, schedule: own ?? { name: schedule, missed: 0 } };
  return [schedule, kind, ...due, version, ...toScriptArguments(base, [{ ...job, rules }])];
}

function toAnswer([type, value]: readonly string[], tick: NewTick): TickAnswer {
  switch (type) {
    case 'known':
    case 'moved':
      // 0: the job is known, and nothing else of the schedule.
      return { type, done: Number(value) || (tick.kind === 'tick' ? tick.at : 0) };
    case 'skipped':
      return value ? { type, by: value } : { type };
    default:
      return { type } as TickAnswer;
  }
}

function toStateIfKept(stored: StoredState | []): ScheduleState | undefined {
  return stored.length > 0 ? toState(stored as StoredState) : undefined;
}

function toState([done, ran, lastState, pause, count, missed, skipped, definition]: StoredState): ScheduleState {
  const state: ScheduleState = {
    done: Number(done),
    count: Number(count),
    missed: Number(missed),
    skipped: Number(skipped),
  };
  if (ran !== '') state.lastTick = Number(ran);
  if (lastState !== '') state.lastState = lastState;
  if (definition !== '') state.definition = definition;
  if (pause !== '') state.pause = readPause(pause);
  return state;
}

function readPause(text: string): SchedulePause {
  try {
    return JSON.parse(text) as SchedulePause;
  } catch {
    // Whatever stands there, the schedule is paused.
    return { since: 0 };
  }
}

function latestOf(replies: readonly (readonly [now: string, ...rest: unknown[]])[]): number {
  return Math.max(...replies.map(([now]) => Number(now)));
}

function partsOf<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let first = 0; first < items.length; first += size) parts.push(items.slice(first, first + size));
  return parts;
}
