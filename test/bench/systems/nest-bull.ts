import { BullModule, getQueueToken, Process, Processor } from '@nestjs/bull';
import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job, Queue } from 'bull';
import { createBullProducer } from './bull.js';
import { QUEUE, type Handler, type JobData, type System, type SystemSettings } from './system.js';

/** `@nestjs/bull`: the injected queue, and a processor class. */
export function createNestBull(settings: SystemSettings): System {
  return {
    produce: async () => {
      const app = await boot(settings.port, []);
      const queue = app.get<Queue>(getQueueToken(QUEUE));
      await queue.isReady();
      return createBullProducer(queue, settings, () => app.close());
    },
    work: async (concurrency, handler) => {
      const app = await boot(settings.port, [createProcessor(concurrency, handler)]);
      return { close: () => app.close() };
    },
  };
}

function createProcessor(concurrency: number, handler: Handler): Type {
  @Processor(QUEUE)
  class BenchProcessor {
    @Process({ name: 'run', concurrency })
    run(job: Job<JobData>): Promise<unknown> {
      return handler(job.data);
    }
  }
  return BenchProcessor;
}

function boot(port: number, providers: Type[]): Promise<INestApplicationContext> {
  @Module({
    imports: [BullModule.forRoot({ redis: { host: '127.0.0.1', port } }), BullModule.registerQueue({ name: QUEUE })],
    providers,
  })
  class BenchModule {}
  return NestFactory.createApplicationContext(BenchModule, { logger: false });
}
