import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { afterAll, inject } from 'vitest';

const prefixes: string[] = [];

/** A key prefix that nobody else uses. Its keys are deleted after the last test of the file. */
export function freshPrefix(): string {
  const prefix = `test-${nanoid(10)}`;
  prefixes.push(prefix);
  return prefix;
}

export function redisUrl(): string {
  return inject('redisUrl');
}

/** Every key that belongs to the prefix, whatever stands around it. */
export async function keysOf(client: Redis, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const found of client.scanStream({ match: `*${prefix}*`, count: 1_000 }))
    keys.push(...(found as string[]));
  return [...new Set(keys)];
}

afterAll(async () => {
  if (prefixes.length === 0) return;
  const client = new Redis(redisUrl(), { retryStrategy: () => null });
  try {
    for (const prefix of prefixes.splice(0)) {
      const keys = await keysOf(client, prefix);
      for (let from = 0; from < keys.length; from += 1_000) await client.unlink(...keys.slice(from, from + 1_000));
    }
  } finally {
    client.disconnect();
  }
});
