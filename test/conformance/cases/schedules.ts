import { describe, expect, it } from 'vitest';
import { unique } from '../rules.js';
import { boom, completed, failed, retry, type Scene } from '../scene.js';
import { TickedSchedule } from '../ticks.js';

const ACCEPTED = { type: 'accepted' };
const SKIPPED = { type: 'skipped' };

export function scheduleCases(scene: Scene): void {
  async function schedule(name?: string): Promise<TickedSchedule> {
    const made = new TickedSchedule(scene, name);
    await made.appear();
    return made;
  }

  describe('a tick of a schedule', () => {
    it('makes a job that knows its schedule, its tick and the one before', async () => {
      const { started } = scene.answer([completed()]);
      const daily = await schedule();
      const [first, second] = [daily.due(-20), daily.due(-10, { missed: 3, after: daily.now })];
      expect(await daily.tick(first)).toEqual([ACCEPTED]);
      expect(await daily.tick(second)).toEqual([ACCEPTED]);
      await scene.becomes(second.job, 'completed');
      const { name } = daily;
      expect((await scene.known(first.job)).rules).toEqual({ schedule: { name, tick: first.at, missed: 0 } });
      const rules = { schedule: { name, tick: second.at, previousTick: first.at, missed: 3 } };
      expect((await scene.known(second.job)).rules).toEqual(rules);
      expect(started.map((job) => job.rules)).toEqual([expect.anything(), rules]);
    });

    it('makes one job, whoever hands it over and however often', async () => {
      const daily = await schedule();
      const tick = daily.due(0);
      const answers = await Promise.all(Array.from({ length: 20 }, () => daily.tick(tick)));
      expect(answers.flat().filter(({ type }) => type === 'accepted')).toHaveLength(1);
      expect(answers.flat().filter(({ type }) => type === 'known')).toHaveLength(19);
      await scene.expectCounts({ waiting: 1 });
    });

    it('makes none again once its job is forgotten', async () => {
      scene.answer([completed(undefined, 0)]);
      const daily = await schedule();
      const tick = daily.due(0);
      await daily.tick(tick);
      await scene.becomes(tick.job, 'unknown');
      expect(await daily.tick(tick)).toEqual([{ type: 'known', done: tick.at }]);
    });

    it('makes none after a later one', async () => {
      const daily = await schedule();
      expect(await daily.tick(daily.due(0))).toEqual([ACCEPTED]);
      expect(await daily.tick(daily.due(-1))).toEqual([{ type: 'known', done: daily.now }]);
    });

    it('makes none before its time, by the clock of the engine', async () => {
      const daily = await schedule();
      const tick = daily.due(30_000);
      expect(await daily.tick(tick)).toEqual([{ type: 'early' }]);
      expect(await daily.tick(daily.due(0))).toEqual([ACCEPTED]);
      await scene.expectCounts({ waiting: 1 });
    });

    it('is one of many in a call, and each is answered', async () => {
      const schedules = await Promise.all(Array.from({ length: 250 }, (_, i) => schedule(`tenant-${i}`)));
      const ticks = schedules.map((one) => one.due(0));
      const { answers } = await scene.engine.schedules.tick('default', [...ticks, ticks[7]]);
      expect(answers).toEqual([...ticks.map(() => ACCEPTED), { type: 'known', done: ticks[7].at }]);
      await scene.expectCounts({ waiting: 250 });
    });

    it('waits as a delayed job where its job is due later', async () => {
      const daily = await schedule();
      const tick = daily.due(0, {}, { dueAt: Date.now() + 60_000 });
      await daily.tick(tick);
      await scene.becomes(tick.job, 'delayed');
    });

    it('counts as skipped where another job has its unique key', async () => {
      const daily = await schedule();
      const holder = await scene.enqueue({ rules: unique('finished') });
      for (const onConflict of ['return', 'reject'] as const) {
        const tick = daily.due(onConflict === 'return' ? -1 : 0, {}, { rules: unique('finished', onConflict) });
        expect(await daily.tick(tick)).toEqual([{ type: 'skipped', by: holder.id }]);
      }
      expect(await daily.state()).toMatchObject({ count: 0, skipped: 2, done: daily.now });
    });
  });

  describe('missed ticks', () => {
    it('are counted when the schedule is done up to where the caller thinks', async () => {
      const daily = await schedule();
      await daily.tick(daily.due(-50));
      const tick = daily.due(0, { missed: 4, after: daily.now - 50 });
      expect(await daily.tick(tick)).toMatchObject([{ type: 'moved' }]);
      await daily.tick({ ...tick, after: (await daily.state())!.done });
      expect(await daily.state()).toMatchObject({ missed: 4, lastTick: daily.now });
    });

    it('are told to be counted by a caller who thinks that the schedule is done up to a tick that never came', async () => {
      const daily = await schedule();
      await scene.passed(Date.now() + 20);
      expect(await daily.tick(daily.due(10))).toEqual([{ type: 'moved', done: daily.now }]);
      expect(await daily.tick(daily.due(10, { after: daily.now, missed: 1 }))).toEqual([ACCEPTED]);
      expect(await daily.state()).toMatchObject({ missed: 1 });
    });

    it('are not counted once others have gone on', async () => {
      const daily = await schedule();
      await daily.tick(daily.due(0));
      const tick = { ...daily.due(1, { missed: 5 }), after: daily.now - 10 };
      expect(await daily.tick(tick)).toEqual([{ type: 'moved', done: daily.now }]);
      expect(await daily.tick({ ...tick, missed: 0 })).toEqual([ACCEPTED]);
      expect(await daily.state()).toMatchObject({ missed: 0 });
    });

    it('are not from before the schedule was known, nor from before its rule was another', async () => {
      const daily = new TickedSchedule(scene);
      const { done } = await daily.appear('every minute');
      expect(done).toBe(daily.now);
      await daily.tick(daily.due(0));
      await scene.passed(Date.now() + 5);
      const before = daily.now;
      expect((await daily.appear('every minute')).done).toBe(before);
      expect((await daily.appear('every hour')).done).toBe(daily.now);
      expect(daily.now).toBeGreaterThan(before);
    });
  });

  describe('overlap', () => {
    it.each([
      ['waiting', undefined],
      ['running', undefined],
      ['waiting for its retry', retry(60_000)],
    ])("'skip' makes no job while the last one is %s", async (state, outcome) => {
      const daily = await schedule();
      const held = state === 'waiting' ? undefined : scene.hold();
      const first = daily.due(-1, { overlap: 'skip' });
      await daily.tick(first);
      const run = await held?.started(1);
      if (outcome) {
        run!.tell(outcome);
        run!.end();
        await scene.becomes(first.job, 'delayed');
      }
      expect(await daily.tick(daily.due(0, { overlap: 'skip' }))).toEqual([SKIPPED]);
      expect(await daily.state()).toMatchObject({ count: 1, skipped: 1, done: daily.now, lastTick: first.at });
    });

    it.each(['completed', 'failed', 'cancelled', 'removed'] as const)(
      "'skip' makes one once the last job is %s",
      async (end) => {
        const daily = await schedule();
        const first = daily.due(-1, { overlap: 'skip' });
        await daily.tick(first);
        if (end === 'cancelled') await scene.engine.cancel([first.job]);
        else if (end === 'removed') await scene.engine.remove([first.job]);
        else {
          const { worker } = scene.answer([end === 'failed' ? failed(boom) : completed()]);
          await scene.becomes(first.job, end);
          await worker.stop();
        }
        expect((await daily.state())!.lastState).toBe(end === 'removed' ? 'unknown' : end);
        expect(await daily.tick(daily.due(0, { overlap: 'skip' }))).toEqual([ACCEPTED]);
      },
    );

    it("'skip' looks at triggered runs, too", async () => {
      const daily = await schedule();
      await daily.tick(daily.trigger());
      expect(await daily.tick(daily.due(0, { overlap: 'skip' }))).toEqual([SKIPPED]);
    });

    it("'queue' runs one after another, also after a retry and a failure", async () => {
      const daily = await schedule();
      const ticks = [-3, -2, -1, 0].map((offset) => daily.due(offset, { overlap: 'queue' }));
      await daily.tick(...ticks.slice(0, 2));
      await daily.tick(...ticks.slice(2));
      const held = scene.hold();
      const order: (number | undefined)[] = [];
      for (const [index, outcome] of [retry(0), failed(), completed(), completed(), completed()].entries()) {
        const run = await held.started(index + 1);
        order.push(run.job.rules?.schedule?.tick);
        expect(await scene.engine.counts('default')).toMatchObject({ active: 1 });
        run.tell(outcome);
        run.end();
      }
      expect(order).toEqual([ticks[0], ticks[0], ticks[1], ticks[2], ticks[3]].map(({ at }) => at));
      await scene.becomes(ticks[3].job, 'completed');
    });

    it("'queue' goes on when the job before is cancelled", async () => {
      const daily = await schedule();
      const [first, second] = [daily.due(-1, { overlap: 'queue' }), daily.due(0, { overlap: 'queue' })];
      const held = scene.hold();
      await daily.tick(first);
      const run = await held.started(1);
      await daily.tick(second);
      await scene.waitsFor(second.job, 'concurrency');
      await scene.engine.cancel([first.job]);
      run.tell(completed());
      run.end();
      await held.started(2);
    });

    it("'allow' runs them beside each other", async () => {
      const daily = await schedule();
      const held = scene.hold();
      await daily.tick(daily.due(-1), daily.due(0));
      await held.started(2);
    });
  });

  describe('a limit', () => {
    it('counts jobs, and neither skipped ticks nor triggered runs', async () => {
      const daily = await schedule();
      const limited = { overlap: 'skip', limit: 2 } as const;
      await daily.tick(daily.trigger());
      expect(await daily.tick(daily.due(-5, limited))).toEqual([SKIPPED]);
      scene.answer([completed()]);
      await scene.becomes({ id: 'trigger-1', queue: 'default' }, 'completed');
      for (const [offset, answer] of [
        [-4, 'accepted'],
        [-3, 'accepted'],
        [-2, 'over'],
      ] as const) {
        const tick = daily.due(offset, { limit: 2 });
        expect(await daily.tick(tick)).toEqual([{ type: answer }]);
      }
      expect((await daily.state())!.count).toBe(2);
    });
  });

  describe('a triggered run', () => {
    it('is no tick, and comes whatever pause and limit say', async () => {
      const daily = await schedule();
      await daily.tick(daily.due(-1, { limit: 1 }));
      await scene.engine.schedules.pause('default', daily.name, { since: daily.now });
      const trigger = daily.trigger();
      expect(await daily.tick(trigger)).toEqual([ACCEPTED]);
      expect((await scene.known(trigger.job)).rules?.schedule).toEqual({
        name: daily.name,
        previousTick: daily.now - 1,
        missed: 0,
      });
      expect(await daily.state()).toMatchObject({ count: 1, lastTick: daily.now - 1 });
    });
  });

  describe('the run that a deploy begins with', () => {
    it('comes once for each deploy, and again for none', async () => {
      const daily = await schedule();
      const answers = await Promise.all([1, 2, 3].map(() => daily.tick(daily.start('blue'))));
      expect(
        answers
          .flat()
          .map(({ type }) => type)
          .toSorted(),
      ).toEqual(['accepted', 'known', 'known']);
      expect(await daily.tick(daily.start('green'))).toEqual([ACCEPTED]);
      expect(await daily.tick(daily.start('blue'))).toMatchObject([{ type: 'known' }]);
      await scene.expectCounts({ waiting: 2 });
    });
  });
}
