import { Queue, QueueEvents, Worker, type JobsOptions } from 'bullmq';
import { QUEUE, type JobData, type Producer, type System, type SystemSettings } from './system.js';

/** BullMQ alone. */
export function createBullMq(settings: SystemSettings): System {
  const connection = { host: '127.0.0.1', port: settings.port };
  return {
    produce: async () => {
      const queue = new Queue<JobData>(QUEUE, { connection });
      await queue.waitUntilReady();
      return createBullMqProducer(queue, settings, () => queue.close());
    },
    work: async (concurrency, handler) => {
      const worker = new Worker<JobData>(QUEUE, (job) => handler(job.data), { connection, concurrency });
      worker.on('error', (error) => console.error(error.message));
      return { close: () => worker.close() };
    },
  };
}

/** Also for `@nestjs/bullmq`, which injects the same queue. */
export async function createBullMqProducer(
  queue: Queue<JobData>,
  settings: SystemSettings,
  close: () => Promise<void>,
): Promise<Producer> {
  const { port, keep, attempts } = settings;
  const options: JobsOptions = { removeOnComplete: !keep, removeOnFail: !keep };
  if (attempts > 1) options.attempts = attempts;
  const events = settings.events ? new QueueEvents(QUEUE, { connection: { host: '127.0.0.1', port } }) : undefined;
  await events?.waitUntilReady();

  return {
    add: (data, delay) => queue.add('run', data, delay === undefined ? options : { ...options, delay }),
    addMany: (list) => queue.addBulk(list.map((data) => ({ name: 'run', data, opts: options }))),
    call: async (data) => (await queue.add('run', data, options)).waitUntilFinished(events!),
    counts: async () => {
      const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'failed');
      return { waiting: counts.wait, active: counts.active, delayed: counts.delayed, failed: counts.failed };
    },
    addFirst: (data) => queue.add('run', data, { ...options, priority: 1 }),
    list: () => queue.getWaiting(0, 49),
    close: async () => {
      await events?.close();
      await close();
    },
  };
}
