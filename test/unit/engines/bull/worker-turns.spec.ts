import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LostOutcomes } from '../../../../lib/engines/bull/lost-outcomes.js';
import { Outbox } from '../../../../lib/engines/bull/outbox.js';
import type { RedisClient } from '../../../../lib/engines/bull/redis-client.js';
import type { RedisConnections } from '../../../../lib/engines/bull/redis-connections.js';
import { WorkerTurns, type Arrival } from '../../../../lib/engines/bull/worker-turns.js';

const KEYS = { queue: 'mail', prefix: 'tasks', base: 'tasks:mail:' };
const TAKEN = ['job-1', 'Mail.send', '[1]', '{"spread":1}', '1000', null];

const rejects = (message: string): Promise<never> => Promise.reject(new Error(message));

/** What one read brings where the server answers so. */
async function read(moved: Promise<string | null>, taken: Promise<unknown>): Promise<Arrival> {
  const self = { token: 't', worker: 'host:1', lockDuration: 30_000, keepStopped: { age: 0, count: 0 } };
  const lostOutcomes = new LostOutcomes();
  const connections = {} as RedisConnections;
  const turns = new WorkerTurns(connections, KEYS, { ...self, lostOutcomes }, new Logger());
  const sent: unknown[][] = [];
  const client = {
    brpoplpush: (...args: unknown[]) => (sent.push(args), moved),
    'tasks:arrive': (...args: unknown[]) => (sent.push(args), taken),
  };
  try {
    return await turns.read(client as unknown as RedisClient, 2, 'lock');
  } finally {
    lostOutcomes.close();
    expect(sent).toEqual([
      ['tasks:mail:wait', 'tasks:mail:arriving', 2],
      ['tasks:mail:wait', ['tasks:mail:', 'lock', 30_000, 'host:1']],
    ]);
  }
}

const answered = <T>(value: T): Promise<T> => Promise.resolve(value);

describe('a blocking read', () => {
  it('brings a job that can be begun', async () => {
    const { job, ids } = await read(answered('job-1'), answered(TAKEN));
    expect(job).toMatchObject({ lock: 'lock', taken: { job: { id: 'job-1', task: 'Mail.send', args: '[1]' } } });
    expect(ids).toEqual([]);
  });

  it('brings the id of a job that a turn has to take', async () => {
    expect(await read(answered('job-1'), answered('job-1'))).toEqual({ ids: ['job-1'] });
  });

  it('brings nothing when its time is over', async () => {
    expect(await read(answered(null), answered(null))).toEqual({ ids: [] });
  });

  it('brings another job beside its own where two reads were answered at the same moment', async () => {
    const { job, ids } = await read(answered('job-2'), answered(TAKEN));
    expect(job?.id).toBe('job-1');
    expect(ids).toEqual(['job-2']);
    expect(await read(answered('job-2'), answered('job-1'))).toEqual({ ids: ['job-1', 'job-2'] });
  });

  it('brings the job of another one when its own time is over', async () => {
    expect((await read(answered(null), answered(TAKEN))).job?.id).toBe('job-1');
  });

  it('brings its id where somebody else has taken the job, or the script was refused', async () => {
    expect(await read(answered('job-1'), answered(null))).toEqual({ ids: ['job-1'] });
    expect(await read(answered('job-1'), rejects('OOM'))).toEqual({ ids: ['job-1'] });
  });

  it('brings a job also where the read itself has failed', async () => {
    expect((await read(rejects('UNBLOCKED'), answered(TAKEN))).job?.id).toBe('job-1');
  });

  it('fails where nothing came and one of both was refused', async () => {
    await expect(read(rejects('WRONGTYPE'), answered(null))).rejects.toThrow('WRONGTYPE');
    await expect(read(answered(null), rejects('READONLY'))).rejects.toThrow('READONLY');
    const refused = Object.assign(new Error('OOM'), { name: 'ReplyError' });
    await expect(read(Promise.reject(refused), rejects('closed'))).rejects.toThrow('closed');
  });
});

describe('a turn', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Makes a turn that takes a job, where the answers of the scripts take so long, in ms. */
  async function makeTurn(times: { turn: number; reclaim: number }) {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const sent: [script: string, locks: unknown[]][] = [];
    const client = {
      'tasks:turn': (_key: string, args: unknown[]) => {
        sent.push(['turn', [args[2]]]);
        now += times.turn;
        return answered([[], TAKEN, 0]);
      },
      'tasks:reclaim': (_key: string, args: unknown[]) => {
        sent.push(['reclaim', [args[1], ...args.slice(3)]]);
        now += times.reclaim;
        return answered(TAKEN);
      },
    } as unknown as RedisClient;
    const connections = { runInBackground: (command: (client: RedisClient) => unknown) => command(client) };
    const self = { token: 't', worker: 'host:1', lockDuration: 30_000, keepStopped: { age: 0, count: 0 } };
    const turns = new WorkerTurns(
      connections as unknown as RedisConnections,
      KEYS,
      { ...self, lostOutcomes: new LostOutcomes() },
      new Logger(),
    );
    const { jobs, mayHaveMore } = await turns.make(1, new Outbox(), true);
    return { locks: jobs.map(({ lock }) => lock), mayHaveMore, sent, isReclaimDue: turns.isReclaimDue };
  }

  it('brings jobs under the lock that they got', async () => {
    const { locks, mayHaveMore, sent } = await makeTurn({ turn: 5_000, reclaim: 0 });
    expect(locks).toEqual(['t:1']);
    expect(mayHaveMore).toBe(false);
    expect(sent).toEqual([['turn', ['t:1']]]);
  });

  it('asks anew for jobs whose locks may have ended, and gets them under another lock', async () => {
    const { locks, mayHaveMore, sent, isReclaimDue } = await makeTurn({ turn: 15_000, reclaim: 10 });
    expect(locks).toEqual(['t:2']);
    expect(mayHaveMore).toBe(true);
    expect(sent).toEqual([
      ['turn', ['t:1']],
      ['reclaim', ['t:2', 't:1']],
    ]);
    expect(isReclaimDue).toBe(false);
  });

  it('brings none of them where that answer comes too late, too, and asks again', async () => {
    const { locks, isReclaimDue } = await makeTurn({ turn: 15_000, reclaim: 15_000 });
    expect(locks).toEqual([]);
    expect(isReclaimDue).toBe(true);
  });
});
