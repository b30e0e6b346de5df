import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['warn', 'error', 'fatal'] });
app.enableShutdownHooks();

console.log(`Worker ${process.pid} takes jobs. Kill it in the middle of one: kill -9 ${process.pid}`);
