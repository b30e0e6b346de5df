import { describe, expect, it } from 'vitest';
import { EngineUnavailableError } from '../../../lib/contracts/errors.js';
import { completed, type Scene } from '../scene.js';

export function closeCases(scene: Scene): void {
  describe('close', () => {
    it('is harmless a second time, also at the same time', async () => {
      await Promise.all([scene.engine.close(), scene.engine.close()]);
      await expect(scene.engine.close()).resolves.toBeUndefined();
    });

    it('tells everyone who watches', async () => {
      const waiting = await scene.enqueue();
      const delayed = await scene.enqueue({ queue: 'mail', dueAt: Date.now() + 60_000 });
      const settlements = [scene.settlement(waiting), scene.settlement(waiting), scene.settlement(delayed)];
      await scene.engine.close();
      for (const settlement of await Promise.all(settlements)) {
        expect(settlement).toEqual({ state: 'lost', error: expect.any(EngineUnavailableError) });
      }
    });

    it('does not tell again who was told the result', async () => {
      const job = await scene.enqueue();
      const told: string[] = [];
      scene.engine.watch(job, { settled: ({ state }) => told.push(state) });
      const { worker } = scene.answer([completed()]);
      await scene.settlement(job);
      await worker.stop();
      await scene.engine.close();
      expect(told).toEqual(['completed']);
    });

    it('tells whoever watches afterwards', async () => {
      const job = await scene.enqueue();
      await scene.engine.close();
      expect(await scene.settlement(job)).toEqual({ state: 'lost', error: expect.any(EngineUnavailableError) });
    });

    it('refuses jobs afterwards, and says that they were not sent', async () => {
      await scene.engine.close();
      const refused = scene.engine.enqueue([scene.job({ id: 'late' })]);
      await expect(refused).rejects.toThrow(EngineUnavailableError);
      await expect(refused).rejects.toMatchObject({ sent: false, jobId: 'late' });
    });

    it('has no problem before, and one afterwards', async () => {
      scene.answer([completed()]);
      expect(await scene.engine.problems()).toEqual([]);
      await scene.engine.close();
      expect(await scene.engine.problems()).toEqual([expect.stringMatching(/closed/)]);
    });

    it('refuses questions afterwards', async () => {
      const job = await scene.enqueue();
      await scene.engine.close();
      await expect(scene.engine.find([job])).rejects.toThrow(EngineUnavailableError);
      await expect(scene.engine.state(job)).rejects.toThrow(EngineUnavailableError);
      await expect(scene.engine.counts('default')).rejects.toThrow(EngineUnavailableError);
    });

    it('follows workers that have stopped', async () => {
      const job = await scene.enqueue();
      const { worker } = scene.answer([completed()]);
      await scene.settlement(job);
      await worker.stop();
      await expect(scene.engine.close()).resolves.toBeUndefined();
    });
  });
}
