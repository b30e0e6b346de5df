import type { JobPage, JobQuery, KnownState } from '../../contracts/engine.js';
import { InvalidOptionsError } from '../../contracts/errors.js';
import type { JobAddress, JobRecord } from '../../contracts/job.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnections } from './redis-connections.js';

/** Where jobs of a state stand, in the order in which they are listed. */
const PLACES = [
  { state: 'waiting', key: 'arriving', kind: 'list' },
  { state: 'waiting', key: 'high', kind: 'list' },
  { state: 'waiting', key: 'wait', kind: 'list' },
  { state: 'waiting', key: 'paused', kind: 'list' },
  { state: 'waiting', key: 'low', kind: 'list' },
  { state: 'waiting', key: 'parked', kind: 'oldest first' },
  { state: 'waiting', key: 'paced', kind: 'oldest first' },
  { state: 'delayed', key: 'delayed', kind: 'oldest first' },
  { state: 'active', key: 'active', kind: 'list' },
  { state: 'completed', key: 'completed', kind: 'latest first' },
  { state: 'failed', key: 'failed', kind: 'latest first' },
  { state: 'cancelled', key: 'cancelled', kind: 'latest first' },
  { state: 'expired', key: 'expired', kind: 'latest first' },
] as const satisfies readonly { state: KnownState; key: string; kind: Kind }[];

/** A list is read from its end: there stands what is taken next. */
type Kind = 'list' | 'oldest first' | 'latest first';
type Place = { key: string; kind: Kind; state?: KnownState };

/** Fewer are not read at a time: many of them may have been cancelled. */
const LEAST_READ = 100;

/** Lists the jobs of a queue, page by page. */
export class JobLists {
  constructor(
    private readonly connections: RedisConnections,
    private readonly find: (jobs: readonly JobAddress[]) => Promise<readonly (JobRecord | undefined)[]>,
  ) {}

  async page({ base, queue }: QueueKeys, { state, tag, cursor, limit }: JobQuery): Promise<JobPage> {
    const places: readonly Place[] =
      tag === undefined
        ? PLACES.filter((place) => state === undefined || place.state === state)
        : [{ key: `tag:${tag}`, kind: 'latest first', state }];
    let [place, offset] = readCursor(cursor, places.length);
    const jobs: JobRecord[] = [];
    while (place < places.length && jobs.length < limit) {
      const { kind, state: wanted } = places[place];
      const key = base + places[place].key;
      const count = Math.max(limit - jobs.length, LEAST_READ);
      const ids = await this.connections.run((client) => read(client, key, kind, offset, count).catch(noneIfBroken));
      const found = await this.find(ids.map((id) => ({ id, queue })));
      let looked = 0;
      for (; looked < ids.length && jobs.length < limit; looked++) {
        const job = found[looked];
        // An entry may have been left in a list by a job that was cancelled, and that stands there once more.
        const isLeft = ids.includes(ids[looked], looked + 1);
        if (job && !isLeft && (wanted === undefined || job.state === wanted)) jobs.push(job);
      }
      offset += looked;
      if (tag !== undefined) offset -= await this.forgetGone(key, ids.slice(0, looked), found);
      if (looked === ids.length && ids.length < count) [place, offset] = [place + 1, 0];
    }
    return place < places.length ? { jobs, cursor: `${place}.${offset}` } : { jobs };
  }

  /** A tool that removes a job leaves its tags; answers how many there were. */
  private async forgetGone(key: string, ids: readonly string[], found: readonly unknown[]): Promise<number> {
    const gone = ids.filter((_id, index) => found[index] === undefined);
    if (gone.length > 0) await this.connections.run((client) => client.zrem(key, ...gone));
    return gone.length;
  }
}

function read(client: RedisClient, key: string, kind: Kind, offset: number, count: number): Promise<string[]> {
  const last = offset + count - 1;
  switch (kind) {
    case 'list':
      return client.lrange(key, -last - 1, -offset - 1).then((ids) => ids.toReversed());
    case 'oldest first':
      return client.zrange(key, offset, last);
    case 'latest first':
      return client.zrange(key, offset, last, 'REV');
  }
}

/** A key of another type than it should be lists nothing; the scripts set it aside. */
function noneIfBroken(error: Error): string[] {
  if (error.message.startsWith('WRONGTYPE')) return [];
  throw error;
}

function readCursor(cursor: string | undefined, places: number): [place: number, offset: number] {
  if (cursor === undefined) return [0, 0];
  const [, place, offset] = /^(\d{1,2})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (place !== undefined && Number(place) < places) return [Number(place), Number(offset)];
  throw new InvalidOptionsError(`The cursor '${cursor}' is none of this list. Pass on the cursor of the page before.`);
}
