import { describe, expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { differential } from './differential.js';

describe('a delayed job', () => {
  differential('starts when it is due', async (stage) => {
    await stage.add([{ id: 'a', delay: 300 }]);
    await stage.capture('added');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a']);
  });

  differential('starts when it is due on a worker that waits', async (stage) => {
    await stage.work(() => ({ result: 1 }));
    await stage.add([{ id: 'a', delay: 300 }]);
    await stage.capture('added');
    await stage.ended(['a']);
  });

  differential('starts at once when its time has passed without a worker', async (stage) => {
    await stage.add([{ id: 'a', delay: 20 }]);
    await eventually(() => expect(Date.now() - stage.since).toBeGreaterThan(50));
    await stage.work(() => ({ result: 1 }));
    await stage.ended(['a']);
  });

  differential('starts in the order of due times, and of enqueueing where these are the same', async (stage) => {
    const jobs = [
      { id: 'late', at: 0, delay: 400 },
      { id: 'z', at: 0, delay: 300 },
      { id: 'y', at: 0, delay: 300 },
      { id: 'x', at: 0, delay: 300 },
      { id: 'soon', at: 0, delay: 250 },
    ];
    await stage.add(jobs);
    await stage.capture('added');
    await stage.work(() => ({ result: 1 }));
    await stage.ended(jobs.map(({ id }) => id));
  });

  differential('goes behind the jobs that wait already', async (stage) => {
    await stage.queue.pause();
    await stage.add([{ id: 'later', delay: 50 }, { id: 'a' }, { id: 'b' }]);
    await stage.work(() => ({ result: 1 }));
    await stage.events.heard('waiting@', 'later');
    await stage.capture('paused');
    await stage.queue.resume();
    await stage.ended(['a', 'b', 'later']);
  });

  differential('may be promoted by an operator', async (stage) => {
    await stage.add([{ id: 'a', delay: 60_000 }]);
    await stage.work(() => ({ result: 1 }));
    await (await stage.queue.getJob('a'))?.promote();
    await stage.ended(['a']);
  });

  differential('may be removed before it is due', async (stage) => {
    await stage.add([
      { id: 'a', delay: 200 },
      { id: 'b', delay: 250 },
    ]);
    await stage.work(() => ({ result: 1 }));
    await (await stage.queue.getJob('a'))?.remove();
    await stage.capture('removed');
    await stage.ended(['b']);
  });
});
