import { describe, expect, it } from 'vitest';
import { LOG_LINES } from '../../../lib/contracts/engine.js';
import { eventually } from '../../support/eventually.js';
import { completed, retry, type Scene } from '../scene.js';

export function progressCases(scene: Scene): void {
  describe('progress', () => {
    it('reaches every watcher in order, and before the end', async () => {
      const job = await scene.enqueue();
      const told: string[][] = [[], []];
      for (const values of told) {
        scene.engine.watch(job, {
          progress: (value) => values.push(value),
          settled: ({ state }) => values.push(state),
        });
      }
      const run = await scene.hold().started(1);
      for (const value of ['1', '{"done":2}', '"drei"']) await scene.engine.progress(job, value);
      run.tell(completed());
      await scene.settlement(job);
      const expected = ['1', '{"done":2}', '"drei"', 'completed'];
      await eventually(() => expect(told).toEqual([expected, expected]));
    });

    it('does not reach the watchers of other jobs', async () => {
      const [job, other] = [await scene.enqueue(), await scene.enqueue()];
      const told: string[] = [];
      const toldOfOther: string[] = [];
      scene.engine.watch(job, { progress: (value) => told.push(value), settled: () => undefined });
      scene.engine.watch(other, { progress: (value) => toldOfOther.push(value), settled: () => undefined });
      const held = scene.hold();
      await held.started(2);
      await scene.engine.progress(job, '1');
      await eventually(() => expect(told).toEqual(['1']));
      expect(toldOfOther).toEqual([]);
    });

    it('is stored: the latest value can be read, also after the end', async () => {
      const job = await scene.enqueue();
      const run = await scene.hold().started(1);
      await scene.engine.progress(job, '1');
      expect((await scene.known(job)).progress).toBe('1');
      await scene.engine.progress(job, '{"done":2}');
      expect((await scene.known(job)).progress).toBe('{"done":2}');
      run.tell(completed());
      await scene.settlement(job);
      expect((await scene.known(job)).progress).toBe('{"done":2}');
    });

    it('is absent before the first value, and may be null or 0', async () => {
      const job = await scene.enqueue();
      expect((await scene.known(job)).progress).toBeUndefined();
      await scene.hold().started(1);
      for (const value of ['null', '0', '""']) {
        await scene.engine.progress(job, value);
        expect((await scene.known(job)).progress).toBe(value);
      }
    });

    it('of an unknown job is harmless and stores nothing', async () => {
      await expect(scene.engine.progress({ id: 'nobody', queue: 'default' }, '1')).resolves.toBeUndefined();
      expect(await scene.engine.state({ id: 'nobody', queue: 'default' })).toBe('unknown');
      expect(await scene.engine.enqueue([scene.job({ id: 'nobody' })])).toEqual([
        { id: 'nobody', deduplicated: false },
      ]);
    });
  });

  describe('log', () => {
    it('keeps the lines in order, in any script', async () => {
      const job = await scene.enqueue();
      await scene.hold().started(1);
      for (const line of ['first', 'zweite 🎉', 'third\nwith two lines', '']) await scene.engine.log(job, line);
      expect((await scene.known(job)).logs).toEqual(['first', 'zweite 🎉', 'third\nwith two lines', '']);
    });

    it('keeps the lines of all runs of a job', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const first = await held.started(1);
      await scene.engine.log(job, 'first run');
      first.tell(retry(0));
      const second = await held.started(2);
      await scene.engine.log(job, 'second run');
      second.tell(completed());
      await scene.settlement(job);
      expect((await scene.known(job)).logs).toEqual(['first run', 'second run']);
    });

    it('keeps the last lines when there are too many', async () => {
      const job = await scene.enqueue();
      await scene.hold().started(1);
      const lines = Array.from({ length: LOG_LINES + 5 }, (_, index) => `line ${index}`);
      await Promise.all(lines.map((line) => scene.engine.log(job, line)));
      expect((await scene.known(job)).logs).toEqual(lines.slice(5));
    });

    it('of an unknown job is harmless and stores nothing', async () => {
      await expect(scene.engine.log({ id: 'nobody', queue: 'default' }, 'line')).resolves.toBeUndefined();
      const job = await scene.enqueue({ id: 'nobody' });
      expect((await scene.known(job)).logs).toEqual([]);
    });
  });
}
