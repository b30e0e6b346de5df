import { describe, expect } from 'vitest';
import { deferred } from '../support/eventually.js';
import { drainedAsOften, keptUntilPruned, orderAmongJobs } from './differences.js';
import { differential } from './differential.js';
import { boom, type Answer } from './stage.js';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `job-${index + 1}`);

describe('several jobs', () => {
  differential('run in the order in which they were added', async (stage) => {
    const ids = numbered(12);
    await stage.add(ids.map((id) => ({ id })));
    await stage.capture('added');
    await stage.work(({ id }) => ({ result: id }));
    await stage.ended(ids);
    expect(stage.started).toEqual(ids);
  });

  differential(
    'end the same from a backlog of 100, ten at a time',
    async (stage) => {
      const ids = numbered(100);
      await stage.add(ids.map((id) => ({ id })));
      await stage.work(({ id }) => ({ result: id }), { concurrency: 10 });
      await stage.ended(ids, { isSerial: false });
    },
    { known: [drainedAsOften, orderAmongJobs] },
  );

  differential(
    'end the same where some fail, are tried again or forgotten',
    async (stage) => {
      const ids = numbered(60);
      await stage.add(
        ids.map((id, index) => ({
          id,
          attempts: 1 + (index % 3),
          ...(index % 5 === 0 && { keep: false }),
          ...(index % 4 === 0 && { backoff: 30 }),
        })),
      );
      const fails = (id: string, number: number): boolean => Number(id.slice(4)) % 7 < 3 && number < 3;
      await stage.work(({ id, number }) => (fails(id, number) ? { error: boom } : { result: id }), { concurrency: 10 });
      await stage.ended(ids, { isSerial: false });
    },
    { known: [drainedAsOften, orderAmongJobs, dueTimesByChance()] },
  );

  differential('tell that the queue is drained, each time that it is', async (stage) => {
    await stage.work(() => ({ result: 1 }));
    await stage.add([{ id: 'a' }]);
    await stage.ended(['a']);
    await stage.add([{ id: 'b' }]);
    await stage.ended(['b']);
  });

  differential('tell that the queue is drained after the only one of ten slots that had work', async (stage) => {
    await stage.add([{ id: 'a' }]);
    const answer = deferred<Answer>();
    await stage.work(() => answer.promise, { concurrency: 10 });
    await stage.events.heard('active@', 'a');
    await stage.capture('active');
    answer.resolve({ result: 1 });
    await stage.ended(['a'], { isSerial: false });
    await stage.events.heard('drained');
  });
});

describe('an id that is known', () => {
  differential('keeps the job that waits', async (stage) => {
    await stage.add([{ id: 'a', data: ['first'] }, { id: 'b' }, { id: 'a', data: ['second'] }]);
    await stage.capture('added');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a', 'b']);
  });

  differential('keeps the job that is delayed, active, completed or failed', async (stage) => {
    const answer = deferred<Answer>();
    const answers = new Map<string, Answer | Promise<Answer>>([
      ['now', answer.promise],
      ['broken', { error: boom }],
    ]);
    await stage.add([{ id: 'later', delay: 60_000 }, { id: 'done' }, { id: 'broken' }]);
    await stage.work(({ id }) => answers.get(id) ?? { result: 1 });
    await stage.ended(['done', 'broken']);
    await stage.add([{ id: 'now' }]);
    await stage.events.heard('active@', 'now');
    await stage.add(['later', 'now', 'done', 'broken'].map((id) => ({ id, data: ['again'] })));
    await stage.capture('added again');
    answer.resolve({ result: 1 });
    await stage.ended(['now']);
  });

  differential('makes a new job once the old one is forgotten', async (stage) => {
    await stage.work(({ number }) => ({ result: number }));
    await stage.add([{ id: 'a', keep: false }]);
    await stage.ended(['a']);
    await stage.add([{ id: 'a', data: ['again'], keep: false }]);
    await stage.events.heard('completed', 'a', 2);
    await stage.ended(['a']);
  });
});

describe('an operator', () => {
  differential('pauses and resumes the queue', async (stage) => {
    await stage.add([{ id: 'a' }]);
    await stage.queue.pause();
    await stage.add([{ id: 'b' }, { id: 'c' }]);
    await stage.work(() => ({ result: 1 }));
    await stage.capture('paused');
    await stage.queue.resume();
    await stage.ended(['a', 'b', 'c']);
  });

  differential('pauses while a job runs, which is tried again after that', async (stage) => {
    const answer = deferred<Answer>();
    await stage.add([{ id: 'a', attempts: 2 }, { id: 'b' }]);
    await stage.work(({ number, id }) => (id === 'a' && number === 1 ? answer.promise : { result: 1 }));
    await stage.events.heard('active@', 'a');
    await stage.queue.pause();
    answer.resolve({ error: boom });
    await stage.events.heard('drained');
    await stage.capture('paused');
    await stage.queue.resume();
    await stage.ended(['a', 'b']);
  });

  differential('removes a job that waits', async (stage) => {
    await stage.add([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    await (await stage.queue.getJob('b'))?.remove();
    await stage.capture('removed');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a', 'c']);
  });

  differential(
    'removes a job that has ended',
    async (stage) => {
      await stage.add([{ id: 'a' }, { id: 'b' }]);
      await stage.work(({ id }) => (id === 'a' ? { result: 1 } : { error: boom }));
      await stage.ended(['a', 'b']);
      for (const id of ['a', 'b']) await (await stage.queue.getJob(id))?.remove();
    },
    { known: [keptUntilPruned] },
  );

  differential(
    'retries a failed job',
    async (stage) => {
      await stage.add([{ id: 'a' }]);
      await stage.work(({ number }) => (number === 1 ? { error: boom } : { result: 1 }));
      await stage.ended(['a']);
      await (await stage.queue.getJob('a'))?.retry();
      await stage.events.heard('completed', 'a');
      await stage.ended(['a']);
    },
    { known: [keptUntilPruned] },
  );

  differential(
    'obliterates the queue',
    async (stage) => {
      await stage.add([{ id: 'a' }, { id: 'b' }, { id: 'c', delay: 60_000 }]);
      await stage.work(({ id }) => (id === 'a' ? { result: 1 } : { error: boom }));
      await stage.ended(['a', 'b']);
      await stage.queue.obliterate();
    },
    { known: [keptUntilPruned] },
  );
});

/** Jobs that fail in the same millisecond are due in the same one. */
function dueTimesByChance() {
  return {
    what: 'number of due times',
    because: 'It depends on timing how many jobs fail in one millisecond.',
    level: (trace: { dueTimes: number }) => {
      trace.dueTimes = Math.min(trace.dueTimes, 1);
    },
  };
}
