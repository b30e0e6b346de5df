import { describe } from 'vitest';
import { deferred } from '../support/eventually.js';
import { noResultIsAbsent } from './differences.js';
import { differential } from './differential.js';
import { boom, type Answer } from './stage.js';

describe('a completed job', () => {
  differential('is kept with its result', async (stage) => {
    await stage.add([{ id: 'a', data: [{ to: 'Zoë <z@example.com>' }, 7] }]);
    await stage.capture('added');
    await stage.work(() => ({ result: { sent: true, to: ['Zoë', null] } }));
    await stage.ended(['a']);
  });

  differential(
    'is kept without a result',
    async (stage) => {
      await stage.add([{ id: 'a' }]);
      await stage.work(() => ({}));
      await stage.ended(['a']);
    },
    { known: [noResultIsAbsent] },
  );

  for (const result of [null, false, 0, '', [], 'ünï/"quoted"\n']) {
    differential(`is kept with the result ${JSON.stringify(result)}`, async (stage) => {
      await stage.add([{ id: 'a' }]);
      await stage.work(() => ({ result }));
      await stage.ended(['a']);
    });
  }

  differential('is forgotten where nothing is kept, its log too', async (stage) => {
    await stage.add([{ id: 'a', keep: false }]);
    await stage.work(async (run) => {
      await run.log('a line');
      return { result: 1 };
    });
    await stage.ended(['a']);
  });

  differential('is locked while it runs', async (stage) => {
    const answer = deferred<Answer>();
    await stage.add([{ id: 'a' }]);
    await stage.work(() => answer.promise);
    await stage.events.heard('active@', 'a');
    await stage.capture('active');
    answer.resolve({ result: 1 });
    await stage.ended(['a']);
  });

  differential('is picked up by a worker that waits for it', async (stage) => {
    const answer = deferred<Answer>();
    await stage.work(() => answer.promise);
    await stage.add([{ id: 'a' }]);
    await stage.events.heard('active@', 'a');
    await stage.capture('active');
    answer.resolve({ result: 1 });
    await stage.ended(['a']);
  });

  differential('may have an id with colons, slashes, quotes and other letters', async (stage) => {
    const ids = ['a:b:c', 'https://x.y/z', 'say "hi" \\o/', 'żółć🙂'];
    await stage.add(ids.map((id) => ({ id })));
    await stage.work(() => ({ result: 1 }));
    await stage.ended(ids);
  });
});

describe('a failed job', () => {
  differential('is kept after its only attempt', async (stage) => {
    await stage.add([{ id: 'a', data: ['x'] }]);
    await stage.work(() => ({ error: boom }));
    await stage.ended(['a']);
  });

  for (const keepFailed of [0, 1, 2]) {
    differential(`is kept among the last ${keepFailed}`, async (stage) => {
      const ids = ['a', 'b', 'c', 'd'];
      await stage.add(ids.map((id) => ({ id, keepFailed })));
      await stage.work(() => ({ error: boom }));
      await stage.ended(ids);
    });
  }

  differential('may have an error without a message', async (stage) => {
    await stage.add([{ id: 'a' }]);
    await stage.work(() => ({ error: { ...boom, message: '' } }));
    await stage.ended(['a']);
  });

  differential('lets the next one run', async (stage) => {
    await stage.add([{ id: 'a' }, { id: 'b' }]);
    await stage.work(({ id }) => (id === 'a' ? { error: boom } : { result: 1 }));
    await stage.ended(['a', 'b']);
  });
});

describe('a retried job', () => {
  differential('runs again at once', async (stage) => {
    await stage.add([{ id: 'a', attempts: 3 }]);
    await stage.work(({ number }) => (number < 3 ? { error: { ...boom, message: `Boom ${number}.` } } : { result: 1 }));
    await stage.ended(['a']);
  });

  differential('goes behind those that wait', async (stage) => {
    await stage.add([{ id: 'a', attempts: 2 }, { id: 'b' }, { id: 'c' }]);
    await stage.work(({ id, number }) => (id === 'a' && number === 1 ? { error: boom } : { result: id }));
    await stage.ended(['a', 'b', 'c']);
  });

  differential('is delayed until its next attempt', async (stage) => {
    await stage.add([{ id: 'a', attempts: 2, backoff: 400 }]);
    await stage.work(({ number }) => (number === 1 ? { error: boom } : { result: 1 }));
    await stage.events.heard('drained');
    await stage.capture('between');
    await stage.ended(['a']);
  });

  differential('fails after its last attempt, with every stack', async (stage) => {
    await stage.add([{ id: 'a', attempts: 3, backoff: 20 }]);
    await stage.work(({ number }) => ({ error: { ...boom, stack: `RangeError: Boom.\n    at run ${number}` } }));
    await stage.ended(['a']);
  });

  differential('keeps the stack of an error without a message', async (stage) => {
    await stage.add([{ id: 'a', attempts: 2, backoff: 400 }]);
    await stage.work(({ number }) => (number === 1 ? { error: { ...boom, message: '' } } : { result: 1 }));
    await stage.events.heard('drained');
    await stage.capture('between');
    await stage.ended(['a']);
  });
});

describe('a running job', () => {
  differential('tells its progress', async (stage) => {
    await stage.add([{ id: 'a' }]);
    await stage.work(async (run) => {
      await run.progress(10);
      await run.progress({ done: 7, of: 9, name: 'ünï/"x"' });
      return { result: 1 };
    });
    await stage.ended(['a']);
  });

  differential('writes its log', async (stage) => {
    await stage.add([{ id: 'a' }]);
    await stage.work(async (run) => {
      for (const line of ['one', '', 'zwölf "drei"\n']) await run.log(line);
      return { result: 1 };
    });
    await stage.ended(['a']);
  });
});
