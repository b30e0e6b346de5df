import Bull, { type JobOptions, type Queue } from 'bull';
import { QUEUE, type Producer, type System, type SystemSettings } from './system.js';

/** Bull alone. */
export function createBull(settings: SystemSettings): System {
  const { port } = settings;
  const open = (): Queue => new Bull(QUEUE, { redis: { host: '127.0.0.1', port } });
  return {
    produce: async () => {
      const queue = open();
      await queue.isReady();
      return createBullProducer(queue, settings, () => queue.close());
    },
    work: async (concurrency, handler) => {
      const queue = open();
      void queue.process('run', concurrency, (job) => handler(job.data));
      return { close: () => queue.close() };
    },
  };
}

/** Also for `@nestjs/bull`, which injects the same queue. */
export function createBullProducer(queue: Queue, settings: SystemSettings, close: () => Promise<void>): Producer {
  const { keep, attempts, events } = settings;
  const options: JobOptions = { removeOnComplete: !keep, removeOnFail: !keep };
  if (attempts > 1) options.attempts = attempts;
  const waiters = new Map<string, (result: unknown) => void>();
  let latestId = 0;
  if (events) {
    queue.on('global:completed', (id: string, result: string) => {
      waiters.get(id)?.(JSON.parse(result));
      waiters.delete(id);
    });
  }

  return {
    add: (data, delay) => queue.add('run', data, delay === undefined ? options : { ...options, delay }),
    addMany: (list) => queue.addBulk(list.map((data) => ({ name: 'run', data, opts: options }))),
    call: (data) => {
      // The event may come before `add` has answered, so the id has to be known earlier.
      const jobId = `call-${++latestId}`;
      return new Promise((resolve, reject) => {
        waiters.set(jobId, resolve);
        queue.add('run', data, { ...options, jobId }).catch(reject);
      });
    },
    counts: () => queue.getJobCounts(),
    addFirst: (data) => queue.add('run', data, { ...options, priority: 1 }),
    list: () => queue.getWaiting(0, 49),
    close,
  };
}
