import { describe } from 'vitest';
import { deferred } from '../support/eventually.js';
import { checksExpire, drainedAsOften, onlyRunsCrash, orderAmongJobs } from './differences.js';
import { differential } from './differential.js';
import type { Answer, Stage } from './stage.js';

const OFTEN = { stalledInterval: 60 };
const timing = [checksExpire, drainedAsOften, orderAmongJobs];

/** Starts a worker whose process is as good as dead once it has taken the job: its lock is gone. */
async function dieWith(stage: Stage, id: string): Promise<void> {
  const answer = deferred<Answer>();
  await stage.work(() => answer.promise, OFTEN);
  await stage.events.heard('active@', id);
  await stage.redis.del(`${stage.base}${id}:lock`);
  stage.onClose.push(() => answer.resolve({ result: 'too late' }));
}

describe('a job of a worker that died', () => {
  differential(
    'runs on another worker',
    async (stage) => {
      await stage.add([{ id: 'a', data: [1] }]);
      await dieWith(stage, 'a');
      await stage.work(() => ({ result: 'second' }), OFTEN);
      await stage.ended(['a'], { isSerial: false });
    },
    { known: timing },
  );

  differential(
    'is first in line',
    async (stage) => {
      await stage.add([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
      await dieWith(stage, 'a');
      await stage.events.heard('stalled@', 'a');
      await stage.capture('recovered');
      await stage.work(() => ({ result: 1 }), OFTEN);
      await stage.ended(['a', 'b', 'c'], { isSerial: false });
    },
    { known: timing },
  );

  differential(
    'waits while its queue is paused',
    async (stage) => {
      await stage.add([{ id: 'a' }]);
      await dieWith(stage, 'a');
      await stage.queue.pause();
      await stage.events.heard('stalled@', 'a');
      await stage.capture('recovered');
      await stage.queue.resume();
      await stage.work(() => ({ result: 1 }), OFTEN);
      await stage.ended(['a'], { isSerial: false });
    },
    { known: timing },
  );

  differential(
    'runs even if it was taken from the list and not begun',
    async (stage) => {
      await stage.add([{ id: 'a' }]);
      await stage.redis.rpoplpush(`${stage.base}wait`, `${stage.base}active`);
      await stage.work(() => ({ result: 1 }), OFTEN);
      await stage.ended(['a'], { isSerial: false });
    },
    { known: [...timing, onlyRunsCrash] },
  );
});
