/** Where a queue's keys live; every key is `base` and a word, or `base` and a job's id. */
export interface QueueKeys {
  queue: string;
  /** Bull's `prefix` option for this queue. */
  prefix: string;
  /** With its last colon, e.g. `tasks:mail:`. */
  base: string;
}

/** In a cluster a queue's keys share a hash tag, so that one script may touch them all. */
export function queueKeys(prefix: string, queue: string, isCluster: boolean): QueueKeys {
  const queuePrefix = isCluster ? `{${prefix}:${queue}}` : prefix;
  return { queue, prefix: queuePrefix, base: `${queuePrefix}:${queue}:` };
}
