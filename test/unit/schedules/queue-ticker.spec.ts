import { afterEach, describe, expect, it } from 'vitest';
import type { NewTick } from '../../../lib/contracts/engine-schedules.js';
import { EngineUnavailableError } from '../../../lib/contracts/errors.js';
import type { TaskEvent } from '../../../lib/contracts/events.js';
import type { ScheduleOptions } from '../../../lib/contracts/schedule-options.js';
import type { ScheduleTime } from '../../../lib/contracts/schedule.js';
import { EmbeddedEngine } from '../../../lib/engines/embedded/embedded.engine.js';
import { planDeclared } from '../../../lib/schedules/declared-schedules.js';
import type { PlannedSchedule } from '../../../lib/schedules/planned-schedule.js';
import { QueueTicker } from '../../../lib/schedules/queue-ticker.js';
import { ScheduleFollower } from '../../../lib/schedules/schedule-follower.js';
import { TickJobs } from '../../../lib/schedules/tick-jobs.js';
import { TickReport } from '../../../lib/schedules/tick-report.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { registryOf, settings } from '../client/fake-engine.js';

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

/** An engine that outlives the processes of a test, each with a ticker of its own. */
class Scene {
  readonly clock = new VirtualClock(START);
  readonly engine = new EmbeddedEngine({ queues: ['default'], clock: this.clock });
  readonly events: TaskEvent[] = [];
  readonly lines: string[] = [];
  /** The engine is out of reach. */
  isAway = false;
  private readonly running: { stop(): Promise<void> }[] = [];

  plan(time: ScheduleTime, options: ScheduleOptions = {}): PlannedSchedule {
    const when = 'every' in time ? time : { cron: time.cron };
    const own = { ...options, ...('timeZone' in time && { timeZone: time.timeZone }) };
    const schedules = [
      { decorator: '@Cron()' as const, when, options: { name: 'each', overlap: 'allow' as const, ...own } },
    ];
    const declared = planDeclared(
      [{ name: 'task', place: 'Reports.task', options: {}, invoke: () => undefined, schedules }],
      settings,
    );
    expect(declared.problems).toEqual([]);
    return declared.schedules[0];
  }

  start(schedules: readonly PlannedSchedule[], deploy = 'blue'): QueueTicker {
    const { schedules: port } = this.engine;
    const guard =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        this.isAway ? Promise.reject(new EngineUnavailableError('Away.', { sent: false })) : call(...args);
    const engine = {
      tick: guard((queue: string, ticks: readonly NewTick[]) => port.tick(queue, ticks)),
      read: guard((...args: Parameters<typeof port.read>) => port.read(...args)),
      changes: guard((...args: Parameters<typeof port.changes>) => port.changes(...args)),
      set: (...args: Parameters<typeof port.set>) => port.set(...args),
      pause: (...args: Parameters<typeof port.pause>) => port.pause(...args),
      follow: () => () => undefined,
    };
    const logger = {
      log: (line: string) => this.lines.push(line),
      warn: (line: string) => this.lines.push(line),
      error: (line: string) => this.lines.push(line),
    };
    const report = new TickReport((event) => this.events.push(event), logger);
    const jobs = new TickJobs(() => registryOf({ name: 'task' }), settings);
    const ticker = new QueueTicker('default', engine, this.clock, jobs, report, deploy);
    ticker.add(schedules);
    const follower = new ScheduleFollower(ticker, engine, this.clock, settings.schedules, logger);
    follower.start();
    this.running.push(ticker, follower);
    return ticker;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.running.splice(0).map((part) => part.stop()));
  }

  /** The ticks that made jobs, in seconds after the start, in their order. */
  async ticks(name = 'each'): Promise<number[]> {
    const { jobs } = await this.engine.list({ queue: 'default', limit: 10_000 });
    const own = jobs.flatMap(({ rules }) => (rules?.schedule?.name === name ? (rules.schedule.tick ?? []) : []));
    return own.map((tick) => (tick - START) / 1_000).toSorted((a, b) => a - b);
  }

  async state(name = 'each') {
    return (await this.engine.schedules.read('default', [{ name }])).states[0]!;
  }
}

let scene: Scene;
function open(): Scene {
  scene = new Scene();
  return scene;
}
afterEach(async () => {
  await scene.stopAll();
  await scene.engine.close();
});

const from = (first: number, last: number, step = 1): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);

describe('a ticker', () => {
  it('hands over each tick at its instant, with one timer for all', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' }), scene.plan({ cron: '*/2 * * * * *' }, { name: 'even' })]);
    await clock.advance(6_500);
    expect(await scene.ticks()).toEqual(from(1, 6));
    expect(await scene.ticks('even')).toEqual([2, 4, 6]);
    expect(await scene.state()).toMatchObject({ missed: 0, count: 6 });
  });

  it('does not mind others that tick the same', async () => {
    const { clock } = open();
    for (let process = 0; process < 5; process++) scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(10_500);
    expect(await scene.ticks()).toEqual(from(1, 10));
    expect(await scene.state()).toMatchObject({ missed: 0, count: 10 });
  });

  it('makes up the latest tick, once, after it stood still, and tells of it', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(3_000);
    await clock.stall(20_500);
    await clock.advance(2_000);
    expect(await scene.ticks()).toEqual([1, 2, 3, 23, 24, 25]);
    expect((await scene.state()).missed).toBe(19);
    expect(scene.events).toEqual([expect.objectContaining({ name: 'caughtUp', schedule: 'each' })]);
    expect(scene.lines).toEqual([
      'Schedule each made up the tick of 2026-01-01T00:00:23.000Z, after 19 that were missed.',
    ]);
  });

  it('makes up nothing that others have handed over while it stood still', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' })]);
    const other = scene.start([scene.plan({ every: '1s' })]);
    const ticked = other.find('each')!;
    await clock.advance(500);
    other.setStopped(ticked, true);
    await clock.advance(5_000);
    other.setStopped(ticked, false);
    await clock.advance(2_000);
    expect(await scene.ticks()).toEqual(from(1, 7));
    expect((await scene.state()).missed).toBe(0);
  });

  it('goes on when the engine was away, and counts what was missed', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(2_500);
    scene.isAway = true;
    await clock.advance(10_000);
    scene.isAway = false;
    await clock.advance(5_000);
    const ticks = await scene.ticks();
    expect(ticks.slice(0, 2)).toEqual([1, 2]);
    expect(ticks.at(-1)).toBe(17);
    const { missed, count } = await scene.state();
    expect([count, missed + count]).toEqual([ticks.length, 17]);
  });

  it('starts when the engine comes', async () => {
    const { clock } = open();
    scene.isAway = true;
    scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(3_000);
    scene.isAway = false;
    await clock.advance(3_000);
    expect((await scene.ticks()).at(-1)).toBe(6);
  });

  it('gives each tick the same jitter in every process, and its instant as tick', async () => {
    const { clock } = open();
    for (let process = 0; process < 2; process++) scene.start([scene.plan({ cron: '* * * * *' }, { jitter: '30s' })]);
    await clock.advance(3 * 60_000);
    const { jobs } = await scene.engine.list({ queue: 'default', limit: 100 });
    const delays = jobs.map(({ rules, dueAt, id }) => [id, dueAt === undefined ? 0 : dueAt - rules!.schedule!.tick!]);
    expect(delays).toHaveLength(3);
    expect(new Set(delays.map(([id]) => id)).size).toBe(3);
    for (const [, delay] of delays) expect(delay).toBeLessThan(30_000);
  });

  it('neither ticks a disabled schedule nor makes up what was due then', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' }, { disabled: true })]);
    await clock.advance(5_000);
    await scene.stopAll();
    scene.start([scene.plan({ every: '1s' }, { catchUp: 'all' })]);
    await clock.advance(2_000);
    expect(await scene.ticks()).toEqual([6, 7]);
  });

  it('ticks from startAt to endAt, both included', async () => {
    const { clock } = open();
    const bounds = { startAt: new Date(START + 3_000), endAt: new Date(START + 5_000) };
    scene.start([scene.plan({ every: '1s' }, bounds)]);
    await clock.advance(10_000);
    expect(await scene.ticks()).toEqual([3, 4, 5]);
  });

  it('ticks no more once its limit is reached', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' }, { limit: 3 })]);
    await clock.advance(10_000);
    expect(await scene.ticks()).toEqual([1, 2, 3]);
  });

  it('keeps what is known of a schedule that is due once a year', async () => {
    const { clock } = open();
    scene.start([scene.plan({ cron: '0 0 1 1 *' })]);
    await clock.advance(1_000);
    const { done } = await scene.state();
    await clock.stall(400 * DAY);
    expect((await scene.state()).lastTick).toBe(Date.UTC(2027, 0, 1));
    expect(done).toBe(START);
  });
});

describe('a worker that starts after a time without any', () => {
  it.each([
    ['none', [1, 2, 63, 64], 60, []],
    ['last', [1, 2, 62, 63, 64], 59, [62]],
    // What was due within the last second comes in its time.
    ['all', from(1, 64), 0, from(3, 61)],
  ] as const)('with catchUp %s', async (catchUp, expected, missed, madeUp) => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' }, { catchUp })]);
    await clock.advance(2_500);
    await scene.stopAll();
    await clock.advance(60_000);
    for (let process = 0; process < 3; process++) scene.start([scene.plan({ every: '1s' }, { catchUp })]);
    await clock.advance(2_000);
    expect(await scene.ticks()).toEqual(expected);
    expect((await scene.state()).missed).toBe(missed);
    const told = scene.events
      .filter(({ name }) => name === 'caughtUp')
      .map(({ tick }) => (Number(tick) - START) / 1_000);
    expect(told).toEqual(madeUp);
  });

  it('logs what was missed, and calls no tick made up that comes in its time', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(2_500);
    await scene.stopAll();
    await clock.advance(60_000);
    scene.start([scene.plan({ every: '1s' })]);
    await clock.advance(2_000);
    expect(scene.lines).toEqual(['Schedule each missed 60 before the tick of 2026-01-01T00:01:03.000Z.']);
  });

  it('makes up nothing of another rule', async () => {
    const { clock } = open();
    scene.start([scene.plan({ every: '1s' }, { catchUp: 'all' })]);
    await clock.advance(2_500);
    await scene.stopAll();
    await clock.advance(60_000);
    scene.start([scene.plan({ every: '2s' }, { catchUp: 'all' })]);
    await clock.advance(4_000);
    expect(await scene.ticks()).toEqual([1, 2, 64, 66]);
  });

  it("makes up in turn for 'all', whatever overlap says", async () => {
    const { clock } = open();
    const options = { catchUp: 'all', overlap: 'skip' } as const;
    scene.start([scene.plan({ every: '10s' }, options)]);
    await clock.advance(5_000);
    await scene.stopAll();
    await clock.advance(40_000);
    scene.start([scene.plan({ every: '10s' }, options)]);
    await clock.advance(1_000);
    expect(await scene.ticks()).toEqual([10, 20, 30, 40]);
  });
});

describe('a follower', () => {
  const define = (every: string) =>
    JSON.stringify({ task: 'task', args: [], options: { queue: 'default' }, every, overlap: 'allow' });

  it('lets what is set be ticked within 5 s, without any notice, and what is removed no more', async () => {
    const { clock, engine } = open();
    scene.start([]);
    await clock.advance(1_000);
    await engine.schedules.set('default', 'tenant', define('1s'));
    await clock.advance(9_000);
    const ticks = await scene.ticks('tenant');
    expect(ticks[0]).toBeLessThanOrEqual(7);
    await engine.schedules.set('default', 'tenant', define('2s'));
    await clock.advance(10_000);
    expect((await scene.ticks('tenant')).filter((tick) => tick > 10 && tick % 2 === 1)).toEqual([]);
    await engine.schedules.set('default', 'tenant', undefined);
    const before = await scene.ticks('tenant');
    await clock.advance(10_000);
    expect(await scene.ticks('tenant')).toEqual(before);
  });

  it('is not held up by a definition that cannot be read', async () => {
    const { clock, engine } = open();
    await engine.schedules.set('default', 'bad', '{"every":');
    await engine.schedules.set('default', 'worse', define('soon'));
    await engine.schedules.set('default', 'good', define('1s'));
    scene.start([]);
    await clock.advance(3_000);
    expect(await scene.ticks('good')).toEqual([1, 2, 3]);
  });
});
