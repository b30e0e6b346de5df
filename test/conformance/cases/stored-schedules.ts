import { describe, expect, it } from 'vitest';
import { CHANGES_PAGE } from '../../../lib/contracts/engine-schedules.js';
import { eventually } from '../../support/eventually.js';
import type { Scene } from '../scene.js';
import { TickedSchedule } from '../ticks.js';

export function storedScheduleCases(scene: Scene): void {
  const schedules = () => scene.engine.schedules;

  describe('a paused schedule', () => {
    it('makes no jobs until it is resumed, and what was due meanwhile is not missed', async () => {
      const daily = new TickedSchedule(scene);
      await daily.appear();
      const pause = { reason: 'The bank is closed.', since: daily.now };
      await schedules().pause('default', daily.name, pause);
      expect(await daily.tick(daily.due(0))).toEqual([{ type: 'paused' }]);
      expect(await daily.tick(daily.start('blue'))).toEqual([{ type: 'paused' }]);
      expect(await daily.state()).toMatchObject({ pause, count: 0, missed: 0, done: daily.now });
      await scene.passed(Date.now() + 5);
      await schedules().pause('default', daily.name, undefined);
      const state = await daily.state();
      expect(state!.pause).toBeUndefined();
      expect(state!.done).toBeGreaterThan(daily.now);
      expect(await daily.tick(daily.due(1))).toEqual([{ type: 'accepted' }]);
    });

    it('that nobody paused is resumed without effect', async () => {
      const daily = new TickedSchedule(scene);
      const { done } = await daily.appear();
      await scene.passed(Date.now() + 5);
      await schedules().pause('default', daily.name, undefined);
      expect((await daily.state())!.done).toBe(done);
    });
  });

  describe('the definition of a schedule', () => {
    it('is told to those who ask what has changed since a version', async () => {
      expect(await schedules().changes('default', 0)).toMatchObject({ set: [], removed: [], hasMore: false });
      expect(await schedules().set('default', 'a', '{"v":1}')).toBe(true);
      expect(await schedules().set('default', 'b', '{"v":2}')).toBe(true);
      const first = await schedules().changes('default', 0);
      expect(first.set.map(({ name, definition }) => [name, definition])).toEqual([
        ['a', '{"v":1}'],
        ['b', '{"v":2}'],
      ]);
      expect(await schedules().changes('default', first.version)).toMatchObject({ set: [], removed: [] });
      await schedules().set('default', 'a', '{"v":3}');
      await schedules().set('default', 'b', undefined);
      const second = await schedules().changes('default', first.version);
      expect(second).toMatchObject({ set: [{ name: 'a', definition: '{"v":3}' }], removed: ['b'] });
      expect(await schedules().changes('mail', 0)).toMatchObject({ set: [], removed: [] });
    });

    it('that is the same changes nothing, nor does removing what is not there', async () => {
      await schedules().set('default', 'a', '{}');
      const { version } = await schedules().changes('default', 0);
      expect(await schedules().set('default', 'a', '{}')).toBe(false);
      expect(await schedules().set('default', 'b', undefined)).toBe(false);
      expect((await schedules().changes('default', 0)).version).toBe(version);
    });

    it('is one of many, which come in pages', async () => {
      const names = Array.from({ length: CHANGES_PAGE + 5 }, (_, index) => `tenant-${index}`);
      await Promise.all(names.map((name) => schedules().set('default', name, '{}')));
      const first = await schedules().changes('default', 0);
      expect([first.set.length, first.hasMore]).toEqual([CHANGES_PAGE, true]);
      const second = await schedules().changes('default', first.version);
      expect([second.set.length, second.hasMore]).toEqual([5, false]);
      expect([...first.set, ...second.set].map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    });

    it('is begun anew by those who have missed too many removals', async () => {
      await schedules().set('default', 'first', '{}');
      const { version } = await schedules().changes('default', 0);
      const names = Array.from({ length: 1_001 }, (_, index) => `tenant-${index}`);
      await Promise.all(names.map((name) => schedules().set('default', name, '{}')));
      await Promise.all(names.map((name) => schedules().set('default', name, undefined)));
      expect(await schedules().changes('default', version)).toMatchObject({ isReset: true, version: 0 });
      expect((await schedules().changes('default', 0)).set.map(({ name }) => name)).toEqual(['first']);
    });

    it('is read with what is kept of the schedule', async () => {
      const tenant = new TickedSchedule(scene, 'tenant');
      expect(await tenant.state()).toBeUndefined();
      await schedules().set('default', 'tenant', '{"v":1}');
      expect(await tenant.state()).toMatchObject({ definition: '{"v":1}', count: 0, done: 0 });
      expect(await tenant.appear()).not.toHaveProperty('definition');
      await tenant.tick(tenant.due(0));
      expect(await tenant.state()).toMatchObject({ definition: '{"v":1}', count: 1 });
    });

    it('is announced to those who follow', async () => {
      let notices = 0;
      const stop = schedules().follow('default', () => notices++);
      await eventually(async () => {
        await schedules().set('default', 'a', `${Math.random()}`);
        expect(notices).toBeGreaterThan(1);
      });
      stop();
    });

    it('makes no jobs once it is an older one, or removed', async () => {
      const tenant = new TickedSchedule(scene, 'tenant');
      await schedules().set('default', 'tenant', '{"v":1}');
      const [{ version }] = (await schedules().changes('default', 0)).set;
      await tenant.appear();
      expect(await tenant.tick(tenant.due(-3, { version }))).toEqual([{ type: 'accepted' }]);
      await schedules().set('default', 'tenant', '{"v":2}');
      expect(await tenant.tick(tenant.due(-2, { version }))).toEqual([{ type: 'gone' }]);
      await schedules().set('default', 'tenant', undefined);
      expect(await tenant.tick(tenant.due(-1, { version: version + 1 }))).toEqual([{ type: 'gone' }]);
      expect(await tenant.state()).toBeUndefined();
    });
  });
}
