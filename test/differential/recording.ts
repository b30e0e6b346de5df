import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { keysOf, redisUrl } from '../support/redis.js';

export type Stored =
  | { type: 'string'; value: string }
  | { type: 'list' | 'set'; value: string[] }
  | { type: 'zset'; value: [member: string, score: number][] }
  | { type: 'hash'; value: Record<string, string> };

/** One key; `ttl` in ms, -1: it does not expire. */
export type Entry = Stored & { ttl: number };
export type Snapshot = Record<string, Entry>;

/** Reads every key under the prefix, whole. */
export async function snapshot(redis: Redis, prefix: string): Promise<Snapshot> {
  const entries: Snapshot = {};
  for (const key of (await keysOf(redis, prefix)).toSorted()) {
    const [type, ttl] = await Promise.all([redis.type(key), redis.pttl(key)]);
    const stored = await readKey(redis, key, type);
    if (stored) entries[key] = { ...stored, ttl };
  }
  return entries;
}

async function readKey(redis: Redis, key: string, type: string): Promise<Stored | undefined> {
  switch (type) {
    case 'string':
      return { type, value: (await redis.get(key)) ?? '' };
    case 'list':
      return { type, value: await redis.lrange(key, 0, -1) };
    case 'set':
      return { type, value: (await redis.smembers(key)).toSorted() };
    case 'zset': {
      const flat = await redis.zrange(key, 0, -1, 'WITHSCORES');
      const pairs = flat.flatMap((member, at): [string, number][] =>
        at % 2 === 0 ? [[member, Number(flat[at + 1])]] : [],
      );
      return { type, value: pairs };
    }
    case 'hash':
      return { type, value: await redis.hgetall(key) };
    case 'none':
      return undefined;
    default:
      throw new Error(`${key} is a ${type}, which Bull does not use.`);
  }
}

export interface Message {
  channel: string;
  text: string;
}

/** Everything that is published under a prefix, in the order in which Redis published it. */
export interface EventRecord {
  readonly messages: readonly Message[];
  /** Resolves when `count` messages on channels that begin with `channel` are about the job, or about any. */
  heard(channel: string, id?: string, count?: number): Promise<void>;
  /** Resolves when everything published so far has arrived. */
  upToNow(): Promise<void>;
  stop(): void;
}

const LAST = 'recorded-up-to-here';

export async function recordEvents(prefix: string, base: string): Promise<EventRecord> {
  const listener = new Redis(redisUrl());
  const publisher = new Redis(redisUrl());
  const messages: Message[] = [];
  let marks = 0;
  listener.on('pmessage', (_pattern: string, channel: string, text: string) => {
    if (channel === `${prefix}:${LAST}`) marks++;
    else messages.push({ channel: channel.startsWith(base) ? channel.slice(base.length) : channel, text });
  });
  await listener.psubscribe(`${prefix}:*`);

  const isAbout = (message: Message, id: string): boolean => message.text === id || message.text.includes(`"${id}"`);
  return {
    messages,
    heard: (channel, id, count = 1) =>
      eventually(() => {
        const heard = messages.filter((one) => one.channel.startsWith(channel) && (!id || isAbout(one, id)));
        expect(heard.length, `${channel} ${id ?? ''} in ${JSON.stringify(messages)}`).toBeGreaterThanOrEqual(count);
      }),
    upToNow: async () => {
      const mark = marks + 1;
      await publisher.publish(`${prefix}:${LAST}`, '');
      await eventually(() => expect(marks).toBeGreaterThanOrEqual(mark));
    },
    stop: () => {
      listener.disconnect();
      publisher.disconnect();
    },
  };
}
