import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { completed, idsOf, running, type Scene } from '../scene.js';

export function holdCases(scene: Scene): void {
  describe('a worker that is held', () => {
    it('takes no jobs until it is let go; running ones go on', async () => {
      const running = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      const letGo = held.worker.hold();
      const waiting = await scene.enqueue();
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.tell(completed('1'));
      expect(await scene.settlement(running)).toEqual({ state: 'completed', result: '1' });
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      expect(await scene.engine.state(waiting)).toBe('waiting');
      letGo();
      expect((await held.started(2)).job).toMatchObject({ id: waiting.id, attemptsMade: 0, crashes: 0, runs: [] });
    });

    it('takes none that comes while it is idle', async () => {
      const held = scene.hold();
      await scene.roundTrip();
      const letGo = held.worker.hold();
      const job = await scene.enqueue();
      await scene.roundTrip();
      await eventually(async () => expect(await scene.engine.state(job)).toBe('waiting'));
      expect(held.runs).toHaveLength(0);
      letGo();
      expect((await held.started(1)).job.id).toBe(job.id);
    });

    it('leaves its jobs to other workers, in their order', async () => {
      const { worker, runs } = scene.hold();
      worker.hold();
      const jobs = scene.jobs(5);
      await scene.engine.enqueue(jobs);
      const { started } = scene.answer([completed()], { concurrency: 1, worker: 'host:2' });
      await scene.settlement(jobs[4]);
      expect(idsOf(started)).toEqual(idsOf(jobs));
      expect(runs).toHaveLength(0);
    });

    it('gives back, in their order, what it had taken together with the job whose start holds it', async () => {
      const jobs = scene.jobs(5);
      await scene.engine.enqueue(jobs);
      const started: string[] = [];
      let letGo: (() => void) | undefined;
      const worker = scene.work(({ id }) => {
        started.push(id);
        letGo ??= worker.hold();
        return running(Promise.resolve(completed()));
      });
      await scene.settlement(jobs[0]);
      await eventually(async () => {
        expect(await scene.engine.counts('default')).toMatchObject({ waiting: 4, active: 0, completed: 1 });
        expect(idsOf(await scene.list({ state: 'waiting' }))).toEqual(idsOf(jobs.slice(1)));
      });
      letGo!();
      await scene.settlement(jobs[4]);
      expect(started).toEqual(idsOf(jobs));
    });

    it('is held until each hold has ended, and an end counts once', async () => {
      const held = scene.hold();
      const [first, second] = [held.worker.hold(), held.worker.hold()];
      first();
      first();
      const job = await scene.enqueue();
      await scene.roundTrip();
      expect(held.runs).toHaveLength(0);
      second();
      expect((await held.started(1)).job.id).toBe(job.id);
    });

    it('can be stopped', async () => {
      const held = scene.hold();
      const letGo = held.worker.hold();
      await held.worker.stop();
      letGo();
      const job = await scene.enqueue();
      await scene.roundTrip();
      expect(await scene.engine.state(job)).toBe('waiting');
    });
  });

  describe('begin', () => {
    it('is true for a job in the hands of this process, with or without its queue', async () => {
      const job = await scene.enqueue();
      await scene.hold().started(1);
      expect(await scene.engine.begin(job)).toBe(true);
      expect(await scene.engine.begin({ id: job.id })).toBe(true);
      expect(await scene.known(job)).toMatchObject({ state: 'active', runs: [{ attempt: 1 }] });
    });

    it('is false for any other', async () => {
      const waiting = await scene.enqueue();
      expect(await scene.engine.begin(waiting)).toBe(false);
      expect(await scene.engine.begin({ id: 'nobody', queue: 'default' })).toBe(false);
      expect(await scene.engine.state({ id: 'nobody' })).toBe('unknown');
    });

    it('is false for a job that was cancelled in the meantime', async () => {
      const job = await scene.enqueue();
      await scene.hold().started(1);
      await scene.engine.cancel([job]);
      expect(await scene.engine.begin(job)).toBe(false);
    });
  });
}
