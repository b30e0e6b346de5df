import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job, Queue } from 'bullmq';
import { createBullMqProducer } from './bullmq.js';
import { QUEUE, type Handler, type JobData, type System, type SystemSettings } from './system.js';

/** `@nestjs/bullmq`: the injected queue, and a processor class. */
export function createNestBullMq(settings: SystemSettings): System {
  return {
    produce: async () => {
      const app = await boot(settings.port, []);
      const queue = app.get<Queue<JobData>>(getQueueToken(QUEUE));
      await queue.waitUntilReady();
      return createBullMqProducer(queue, settings, () => app.close());
    },
    work: async (concurrency, handler) => {
      const app = await boot(settings.port, [createProcessor(concurrency, handler)]);
      return { close: () => app.close() };
    },
  };
}

function createProcessor(concurrency: number, handler: Handler): Type {
  @Processor(QUEUE, { concurrency })
  class BenchProcessor extends WorkerHost {
    process(job: Job<JobData>): Promise<unknown> {
      return handler(job.data);
    }
  }
  return BenchProcessor;
}

function boot(port: number, providers: Type[]): Promise<INestApplicationContext> {
  const connection = { host: '127.0.0.1', port };
  @Module({
    imports: [BullModule.forRoot({ connection }), BullModule.registerQueue({ name: QUEUE })],
    providers,
  })
  class BenchModule {}
  return NestFactory.createApplicationContext(BenchModule, { logger: false });
}
