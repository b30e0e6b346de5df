import { describe, expect, it } from 'vitest';
import { TaskShutdownError } from '../../../lib/contracts/errors.js';
import { eventually } from '../../support/eventually.js';
import { boom, completed, idsOf, retry, running, shutdown, type Scene } from '../scene.js';

export function workCases(scene: Scene): void {
  describe('work', () => {
    it('runs jobs that were there before the worker', async () => {
      const job = await scene.enqueue();
      scene.answer([completed()]);
      expect((await scene.settlement(job)).state).toBe('completed');
    });

    it('runs jobs that come after the worker', async () => {
      scene.answer([completed()]);
      const job = await scene.enqueue();
      expect((await scene.settlement(job)).state).toBe('completed');
    });

    it('starts jobs in the order in which they were enqueued', async () => {
      const jobs = scene.jobs(30);
      for (const job of jobs.slice(0, 10)) await scene.engine.enqueue([job]);
      await scene.engine.enqueue(jobs.slice(10));
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await scene.settlement(jobs[29]);
      expect(idsOf(started)).toEqual(idsOf(jobs));
    });

    it('runs as many jobs at a time as its concurrency, and no more', async () => {
      await scene.engine.enqueue(scene.jobs(12));
      const held = scene.hold({ concurrency: 3 });
      for (let done = 0; done < 12; done++) {
        await eventually(() => expect(held.runs.length).toBeGreaterThanOrEqual(Math.min(done + 3, 12)));
        expect(held.runs.length - done).toBeLessThanOrEqual(3);
        held.runs[done].tell(completed());
      }
      await eventually(async () => expect((await scene.engine.counts('default')).completed).toBe(12));
    });

    it('takes no job of a full worker while time passes', async () => {
      await scene.engine.enqueue(scene.jobs(3));
      const held = scene.hold({ concurrency: 2 });
      await held.started(2);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(2);
      expect(await scene.engine.counts('default')).toMatchObject({ active: 2, waiting: 1 });
    });

    it('fills a free place while other runs go on', async () => {
      await scene.engine.enqueue(scene.jobs(2));
      const held = scene.hold({ concurrency: 2 });
      await held.started(2);
      const third = await scene.enqueue();
      held.runs[1].tell(completed());
      expect((await held.started(3)).job.id).toBe(third.id);
    });

    it('keeps its queues apart: one that is full does not hold up another', async () => {
      await scene.enqueue();
      const held = scene.hold({ concurrency: 1 });
      await held.started(1);
      scene.answer([completed('"mail"')], { queue: 'mail', concurrency: 1 });
      const mail = await scene.enqueue({ queue: 'mail' });
      expect(await scene.settlement(mail)).toEqual({ state: 'completed', result: '"mail"' });
      expect(held.worker.active).toBe(1);
    });

    it('takes no jobs of another queue', async () => {
      const { started } = scene.answer([completed()]);
      const mail = await scene.enqueue({ queue: 'mail' });
      await scene.settlement(await scene.enqueue());
      expect(idsOf(started)).not.toContain(mail.id);
      expect(await scene.engine.state(mail)).toBe('waiting');
    });

    it('counts its runs in progress', async () => {
      await scene.engine.enqueue(scene.jobs(3));
      const held = scene.hold();
      await held.started(3);
      expect(held.worker.active).toBe(3);
      held.runs[0].tell(completed());
      await eventually(() => expect(held.worker.active).toBe(2));
    });

    it('reports each run in progress with its start and its worker', async () => {
      const before = Date.now();
      const job = await scene.enqueue();
      await scene.hold({ worker: 'apollo:42' }).started(1);
      const { runs, startedAt, finishedAt } = await scene.known(job);
      expect(runs).toEqual([{ attempt: 1, startedAt: expect.any(Number), worker: 'apollo:42' }]);
      expect(startedAt).toBe(runs[0].startedAt);
      expect(startedAt).toBeGreaterThanOrEqual(before);
      expect(finishedAt).toBeUndefined();
    });
  });

  describe('a run that cannot be started', () => {
    it('fails its job with the error, and the worker goes on', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      let starts = 0;
      scene.work(
        () => {
          if (++starts === 1) throw new TypeError('Cannot start.');
          return running(Promise.resolve(completed('"fine"')));
        },
        { concurrency: 1 },
      );
      expect(await scene.settlement(first)).toMatchObject({
        state: 'failed',
        error: { name: 'TypeError', message: 'Cannot start.' },
      });
      expect(await scene.settlement(second)).toEqual({ state: 'completed', result: '"fine"' });
    });
  });

  describe('stop', () => {
    it('waits for the runs in progress and for their outcomes to be stored', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      let hasStopped = false;
      const stopping = held.worker.stop().then(() => (hasStopped = true));
      await scene.roundTrip();
      expect(hasStopped).toBe(false);
      run.tell(completed('1'));
      await stopping;
      expect(held.worker.active).toBe(0);
      expect(await scene.known(job)).toMatchObject({ state: 'completed', result: '1' });
    });

    it('waits for a run that outlives its outcome', async () => {
      await scene.enqueue();
      const held = scene.hold({ outliveOutcome: true });
      const run = await held.started(1);
      let hasStopped = false;
      const stopping = held.worker.stop().then(() => (hasStopped = true));
      run.tell(completed());
      await scene.roundTrip();
      expect(hasStopped).toBe(false);
      run.end();
      await stopping;
      expect(held.worker.active).toBe(0);
    });

    it('does not wait for it once the runs were aborted', async () => {
      const job = await scene.enqueue();
      const held = scene.hold({ outliveOutcome: true });
      const run = await held.started(1);
      const stopping = held.worker.stop();
      held.worker.abort(new TaskShutdownError('The worker is shutting down.'));
      run.tell(completed('1'));
      await stopping;
      expect(await scene.known(job)).toMatchObject({ state: 'completed', result: '1' });
    });

    it('takes no more jobs', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      const stopping = held.worker.stop();
      run.tell(completed());
      await stopping;
      const third = await scene.enqueue();
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      expect(await scene.engine.state(second)).toBe('waiting');
      expect(await scene.engine.state(third)).toBe('waiting');
    });

    it('resolves at once when nothing runs', async () => {
      const { worker } = scene.answer([completed()]);
      await worker.stop();
      expect(worker.active).toBe(0);
    });

    it('is harmless a second time', async () => {
      await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      const both = Promise.all([held.worker.stop(), held.worker.stop()]);
      run.tell(completed());
      await both;
      await expect(held.worker.stop()).resolves.toBeUndefined();
    });

    it('leaves the rest to the next worker', async () => {
      const jobs = scene.jobs(3);
      await scene.engine.enqueue(jobs);
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      const stopping = held.worker.stop();
      run.tell(completed());
      await stopping;
      const { started } = scene.answer([completed()]);
      await scene.settlement(jobs[2]);
      expect(idsOf(started)).toEqual(idsOf(jobs.slice(1)));
    });

    it('gives an unfinished job back, and the next worker takes it before all others', async () => {
      const [unfinished, waiting] = scene.jobs(2);
      await scene.engine.enqueue([unfinished, waiting]);
      const held = scene.hold({ concurrency: 1 });
      const run = await held.started(1);
      const stopping = held.worker.stop();
      run.tell(shutdown());
      await stopping;
      expect(await scene.engine.state(unfinished)).toBe('waiting');
      const { started } = scene.answer([completed()], { concurrency: 1 });
      await scene.settlement(waiting);
      expect(idsOf(started)).toEqual([unfinished.id, waiting.id]);
      expect(started[0]).toMatchObject({ attemptsMade: 0, runs: [{ attempt: 1, outcome: 'shutdown' }] });
    });
  });

  describe('abort', () => {
    it('reaches every run in progress with the reason', async () => {
      await scene.engine.enqueue(scene.jobs(2));
      const held = scene.hold();
      await held.started(2);
      const reason = new TaskShutdownError('The worker is shutting down.');
      held.worker.abort(reason);
      expect(held.runs.map((run) => run.aborted)).toEqual([reason, reason]);
    });

    it('does not reach runs that have ended', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      run.tell(completed());
      await scene.settlement(job);
      await eventually(() => expect(held.worker.active).toBe(0));
      held.worker.abort(new TaskShutdownError('The worker is shutting down.'));
      expect(run.aborted).toBeUndefined();
    });

    it('leaves the outcome to the run', async () => {
      const job = await scene.enqueue();
      const held = scene.hold();
      const run = await held.started(1);
      held.worker.abort(new TaskShutdownError('The worker is shutting down.'));
      expect(await scene.engine.state(job)).toBe('active');
      run.tell(completed('"in time"'));
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '"in time"' });
    });
  });

  describe('a run that outlives its outcome', () => {
    it('keeps its place until it ends', async () => {
      const [first, second] = scene.jobs(2);
      await scene.engine.enqueue([first, second]);
      const held = scene.hold({ concurrency: 1, outliveOutcome: true });
      const run = await held.started(1);
      run.tell(completed());
      await scene.settlement(first);
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.end();
      expect((await held.started(2)).job.id).toBe(second.id);
    });

    it('settles its job at the outcome', async () => {
      const job = await scene.enqueue();
      const held = scene.hold({ outliveOutcome: true });
      (await held.started(1)).tell(completed('1'));
      expect(await scene.settlement(job)).toEqual({ state: 'completed', result: '1' });
      expect(held.worker.active).toBe(1);
    });

    it('is on record at the outcome, and its retry does not start before it ends', async () => {
      const job = await scene.enqueue();
      const held = scene.hold({ outliveOutcome: true });
      const run = await held.started(1);
      run.tell(retry(0));
      await eventually(async () =>
        expect(await scene.known(job)).toMatchObject({ attemptsMade: 1, runs: [{ outcome: 'retry', error: boom }] }),
      );
      await scene.roundTrip();
      expect(held.runs).toHaveLength(1);
      run.end();
      expect((await held.started(2)).job).toMatchObject({ id: job.id, attemptsMade: 1 });
    });
  });
}
