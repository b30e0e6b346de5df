import { NestFactory } from '@nestjs/core';
import { AppModule, TaskQueue, ThreadTasks, task } from './index.js';

// An app as a process: `main.js block` has a thread that is blocked until somebody ends it, `main.js once` ends by itself.
const app = await NestFactory.createApplicationContext(AppModule);
app.enableShutdownHooks();
const queue = app.get(TaskQueue);
if (process.argv[2] === 'block') {
  await queue.enqueue(task(ThreadTasks).announced(60_000));
} else {
  const job = await queue.enqueue(task(ThreadTasks).add(20, 22));
  console.log(`result ${JSON.stringify(await job.result())}`);
  await app.close();
  console.log('closed');
}
