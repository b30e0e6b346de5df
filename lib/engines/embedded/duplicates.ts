import type { Clock } from '../../contracts/clock.js';
import type { NewJob } from '../../contracts/engine.js';
import { DuplicateJobError } from '../../contracts/errors.js';

/** What the jobs of a queue are, as far as a call of `enqueue` needs to know before it stores anything. */
export interface KnownKeys {
  isKnown(id: string): boolean;
  holderOf(key: string): { readonly id: string } | undefined;
}

/**
 * Refuses a call as a whole, before any of its jobs is stored. A job of the call has its key for those after it.
 *
 * @throws DuplicateJobError when a key is taken that was to be free
 */
export function refuseDuplicates(
  jobs: readonly NewJob[],
  queues: readonly KnownKeys[],
  clock: Pick<Clock, 'now'>,
): void {
  if (!jobs.some(({ rules }) => rules?.unique?.onConflict === 'reject')) return;
  const now = clock.now();
  const stored = new Map<KnownKeys, { ids: Set<string>; holders: Map<string, { id: string }> }>();
  for (const [index, job] of jobs.entries()) {
    const { id, rules } = job;
    const queue = queues[index];
    const added = stored.get(queue) ?? { ids: new Set(), holders: new Map<string, { id: string }>() };
    stored.set(queue, added);
    if (added.ids.has(id) || queue.isKnown(id)) continue;
    if (rules?.unique) {
      const { key, onConflict } = rules.unique;
      const holder = added.holders.get(key) ?? queue.holderOf(key);
      if (holder && onConflict === 'return') continue;
      if (holder && onConflict === 'reject') throw duplicateError(job, holder.id);
      if (rules.expiresAt === undefined || rules.expiresAt > now) added.holders.set(key, { id });
    }
    added.ids.add(id);
  }
}

export function duplicateError({ queue, task, rules }: NewJob, holder: string): DuplicateJobError {
  return new DuplicateJobError(
    `A call of task ${task} was refused: job ${holder} of queue '${queue}' has its unique key '${rules?.unique?.key}'. ` +
      `Wait for that job, or let onConflict be 'return' to get its handle, or 'replace' to take its place.`,
    holder,
  );
}
