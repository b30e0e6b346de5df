import { Redis, type Cluster, type RedisOptions } from 'ioredis';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type RedisClient = Redis | Cluster;
export type ConnectionRole = 'client' | 'subscriber' | 'bclient';

/** How to reach Redis: a URL, ioredis options, or a function that makes ready-made clients. */
export type ConnectionSource = string | RedisOptions | { createClient(role: ConnectionRole): RedisClient };

/** Makes one connection. It tries for ever to be there again, at most half a second apart. */
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
    connectTimeout: 3_000,
    // A server that reads its data after a start is asked again as often.
    maxLoadingRetryTime: 500,
    // A closed connection keeps the process for as long.
    disconnectTimeout: 100,
    retryStrategy: (times) => Math.min(times * 100, 500),
  };
  if (typeof source === 'string') return new Redis(source, options);
  return new Redis({ ...options, ...(source as RedisOptions) });
}

/** Longest time for a node of a cluster to show that it is there, in ms. */
const NODE_TIMEOUT = 500;

/** Ends the connections to those nodes of a cluster that do not answer; the queues of the others go on. */
export async function dropSilentNodes(cluster: RedisClient): Promise<void> {
  await Promise.all(
    nodesOf(cluster).map(async (node) => {
      const answer = node.ping().then(
        () => true,
        () => true,
      );
      if (!(await Promise.race([answer, sleep(NODE_TIMEOUT, false, { ref: false })]))) node.disconnect();
    }),
  );
}

/** Bytes that have come in by its sockets. */
export function bytesReceived(client: RedisClient): number {
  return socketsOf(client).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}

/** Whether there is something that its sockets have not taken yet. */
export function isSending(client: RedisClient): boolean {
  return socketsOf(client).some(({ writableLength }) => writableLength > 0);
}

/** A part of ioredis that its types leave out. */
function socketsOf(client: RedisClient): Socket[] {
  return nodesOf(client).flatMap((node) => (node as unknown as { stream?: Socket }).stream ?? []);
}

function nodesOf(client: RedisClient): Redis[] {
  return client.isCluster ? (client as Cluster).nodes() : [client as Redis];
}
