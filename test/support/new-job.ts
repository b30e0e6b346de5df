import type { NewJob } from '../../lib/contracts/engine.js';

/** A job as an engine gets it, for tests that care about its id only. */
export function newJob(id: string, fields: Partial<NewJob> = {}): NewJob {
  return { id, queue: 'default', task: 'Mail.send', args: '[]', options: {}, enqueuedAt: Date.now(), ...fields };
}
