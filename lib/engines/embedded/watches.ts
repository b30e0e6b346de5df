import type { JobObserver, Settlement } from '../../contracts/engine.js';
import type { JobError } from '../../contracts/job.js';
import { tell, type Watch } from '../observing.js';
import type { EmbeddedJob } from './embedded-job.js';

/** Answers a function that ends the watch. */
export function watch(job: EmbeddedJob, observer: JobObserver): () => void {
  const watches = (job.watches ??= new Set());
  const added: Watch = { observer };
  watches.add(added);
  return () => void watches.delete(added);
}

export function tellProgress(job: EmbeddedJob, value: string): void {
  for (const { observer } of job.watches ?? []) tell(() => observer.progress?.(value));
}

export function tellEnd(job: EmbeddedJob, settlement: Settlement | undefined = settlementOf(job)): void {
  const { watches } = job;
  if (!watches || !settlement) return;
  job.watches = undefined;
  for (const { observer } of watches) tell(() => observer.settled(settlement));
}

/** How a job ended; undefined while it has not. */
export function settlementOf(job: EmbeddedJob): Settlement | undefined {
  switch (job.state) {
    case 'completed':
      return { state: 'completed', result: job.result };
    case 'failed':
      return { state: 'failed', error: { ...(job.error as JobError) } };
    case 'cancelled':
    case 'expired':
      return { state: job.state };
    case 'waiting':
    case 'delayed':
    case 'active':
      return undefined;
  }
}
