import { Redis, type Cluster, type RedisOptions } from 'ioredis';

export type RedisClient = Redis | Cluster;
export type ConnectionRole = 'client' | 'subscriber' | 'bclient';

/** How to reach Redis: a URL, ioredis options, or a function that makes ready-made clients. */
export type ConnectionSource = string | RedisOptions | { createClient(role: ConnectionRole): RedisClient };

/** Makes one connection. It tries for ever to be there again, at most a second apart. */
export function createClient(source: ConnectionSource, role: ConnectionRole): RedisClient {
  if (typeof source === 'object' && 'createClient' in source && typeof source.createClient === 'function') {
    return source.createClient(role);
  }
  const options: RedisOptions = {
    // A command that waits in a queue of the client would run after its caller was told that it never will.
    enableOfflineQueue: role !== 'client',
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    enableReadyCheck: role === 'client',
    connectTimeout: 5_000,
    // A closed connection keeps the process for as long.
    disconnectTimeout: 100,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
  };
  if (typeof source === 'string') return new Redis(source, options);
  return new Redis({ ...options, ...(source as RedisOptions) });
}
