import BeeQueue from 'bee-queue';
import { QUEUE, type JobData, type Producer, type System, type SystemSettings } from './system.js';

/**
 * bee-queue, set for speed: whatever a row does not need is off. Its `sendEvents` is on by default, and left off here
 * wherever nobody waits for a result.
 */
export function createBee(settings: SystemSettings): System {
  const { port, keep, events } = settings;
  const shared: BeeQueue.QueueSettings = {
    redis: { host: '127.0.0.1', port },
    removeOnSuccess: !keep,
    removeOnFailure: !keep,
    sendEvents: events,
    activateDelayedJobs: true,
  };
  return {
    produce: async () => {
      const queue = new BeeQueue<JobData>(QUEUE, {
        ...shared,
        isWorker: false,
        activateDelayedJobs: false,
        getEvents: events,
        storeJobs: false,
      });
      await queue.ready();
      return createProducer(queue, settings.attempts);
    },
    work: async (concurrency, handler) => {
      const queue = new BeeQueue<JobData>(QUEUE, { ...shared, getEvents: false, storeJobs: false });
      await queue.ready();
      queue.process(concurrency, (job: BeeQueue.Job<JobData>) => handler(job.data));
      return { close: () => queue.close() };
    },
  };
}

function createProducer(queue: BeeQueue<JobData>, attempts: number): Producer {
  const createJob = (data: JobData): BeeQueue.Job<JobData> => {
    const job = queue.createJob(data);
    return attempts > 1 ? job.retries(attempts - 1) : job;
  };
  const waiters = new Map<string, (result: unknown) => void>();
  let latestId = 0;
  queue.on('job succeeded', (id, result) => {
    waiters.get(id)?.(result);
    waiters.delete(id);
  });

  return {
    add: (data, delay) => {
      const job = createJob(data);
      return (delay === undefined ? job : job.delayUntil(Date.now() + delay)).save();
    },
    addMany: async (list) => {
      const [failure] = (await queue.saveAll(list.map(createJob))).values();
      if (failure) throw failure;
    },
    call: (data) => {
      // The event may come before `save` has answered, when a job's own listener is not known to the queue yet.
      const id = `call-${++latestId}`;
      return new Promise((resolve, reject) => {
        waiters.set(id, resolve);
        createJob(data).setId(id).save().catch(reject);
      });
    },
    counts: async () => {
      const { waiting, active, delayed, failed } = await queue.checkHealth();
      return { waiting, active, delayed, failed };
    },
    close: () => queue.close(),
  };
}
