import { describe, expect } from 'vitest';
import { deferred } from '../support/eventually.js';
import { retryGoesLast, type Difference } from './differences.js';
import { differential, type Scenario } from './differential.js';
import { boom, type Answer, type StagedJob } from './stage.js';

/** What only a plain Bull producer can ask for. */
function ofPlainProducer(title: string, scenario: Scenario, known: readonly Difference[] = []): void {
  differential(title, scenario, { producers: ['plain'], known });
}

const withPriority = (id: string, priority: number, more: Partial<StagedJob> = {}): StagedJob => ({
  id,
  ...more,
  plain: { priority },
});

describe('priorities', () => {
  const mixed = [
    withPriority('p5', 5),
    { id: 'none' },
    withPriority('p1', 1),
    withPriority('p5b', 5),
    { id: 'none-b' },
    withPriority('p3', 3),
    withPriority('p1b', 1),
  ];

  ofPlainProducer('decide the order', async (stage) => {
    await stage.add(mixed);
    await stage.capture('added');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(mixed.map(({ id }) => id));
    expect(stage.started.slice(0, 2)).toEqual(['p1', 'p1b']);
  });

  ofPlainProducer('hold for jobs that are added while others run', async (stage) => {
    const answer = deferred<Answer>();
    await stage.add([{ id: 'first' }]);
    await stage.work(({ id }) => (id === 'first' ? answer.promise : { result: 1 }));
    await stage.events.heard('active@', 'first');
    await stage.add(mixed);
    await stage.capture('added');
    answer.resolve({ result: 1 });
    await stage.ended(mixed.map(({ id }) => id));
  });

  ofPlainProducer('hold for a retry without a delay', async (stage) => {
    const jobs = [
      withPriority('p2', 2, { attempts: 2 }),
      withPriority('p3', 3),
      { id: 'none' },
      withPriority('p2b', 2),
    ];
    await stage.add(jobs);
    await stage.work(({ id, number }) => (id === 'p2' && number === 1 ? { error: boom } : { result: 1 }));
    await stage.ended(jobs.map(({ id }) => id));
  });

  ofPlainProducer('hold for delayed jobs', async (stage) => {
    const jobs = [withPriority('p2', 2, { delay: 50 }), { id: 'none' }, withPriority('p3', 3), withPriority('p1', 1)];
    await stage.queue.pause();
    await stage.add(jobs);
    await stage.work(() => ({ result: 1 }));
    await stage.events.heard('waiting@', 'p2');
    await stage.capture('promoted');
    await stage.queue.resume();
    await stage.ended(jobs.map(({ id }) => id));
  });

  ofPlainProducer('leave nothing of a job that is removed', async (stage) => {
    await stage.add(mixed);
    await (await stage.queue.getJob('p5'))?.remove();
    await stage.capture('removed');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(mixed.map(({ id }) => id).filter((id) => id !== 'p5'));
  });
});

describe('last in, first out', () => {
  const jobs = ['a', 'b', 'c'].map((id): StagedJob => ({ id, attempts: 2, plain: { lifo: true } }));

  ofPlainProducer('decides the order', async (stage) => {
    await stage.add(jobs);
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a', 'b', 'c']);
  });

  ofPlainProducer(
    'does not hold for a retry without a delay',
    async (stage) => {
      await stage.add(jobs);
      await stage.work(({ id, number }) => (id === 'c' && number === 1 ? { error: boom } : { result: 1 }));
      await stage.ended(['a', 'b', 'c']);
    },
    [retryGoesLast],
  );
});

describe('debounce', () => {
  const debounced = (id: string, ttl?: number): StagedJob => ({
    id,
    plain: { debounce: { id: 'topic', ...(ttl !== undefined && { ttl }) } },
  });

  ofPlainProducer('ends with the completed job', async (stage) => {
    await stage.add([debounced('a'), debounced('b')]);
    await stage.capture('added');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a']);
    await stage.add([debounced('c')]);
    await stage.ended(['c']);
  });

  ofPlainProducer('ends with the failed job', async (stage) => {
    await stage.add([debounced('a')]);
    await stage.work(() => ({ error: boom }));
    await stage.ended(['a']);
  });

  ofPlainProducer('ends with a job that is forgotten', async (stage) => {
    await stage.add([{ ...debounced('a'), keep: false }]);
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a']);
  });

  ofPlainProducer('holds while the job is tried again', async (stage) => {
    await stage.add([{ ...debounced('a'), attempts: 2, backoff: 300 }]);
    await stage.work(({ number }) => (number === 1 ? { error: boom } : { result: 1 }));
    await stage.events.heard('drained');
    await stage.capture('between');
    await stage.ended(['a']);
  });

  ofPlainProducer('holds for its time, whatever becomes of the job', async (stage) => {
    await stage.add([debounced('a', 60_000)]);
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a']);
    await stage.add([debounced('b', 60_000)]);
    await stage.events.heard('debounced@');
  });
});

describe('ids that Bull makes', () => {
  ofPlainProducer('are those of a counter', async (stage) => {
    for (const text of ['one', 'two', 'three']) await stage.queue.add('Mail.send', [text]);
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['1', '2', '3']);
  });
});
