import { NestFactory } from '@nestjs/core';
import { ApiModule } from './api.module.js';

const port = Number(process.env.PORT || 3000);
const app = await NestFactory.create(ApiModule, { logger: ['warn', 'error', 'fatal'], abortOnError: false });
app.enableShutdownHooks();
await app.listen(port);

const url = await app.getUrl();
console.log(`
API ${process.pid} listens on ${url}. It runs no task itself: start workers beside it. Try:

  npm start -- 02-redis worker
  curl -X POST ${url}/reports/autumn
  curl ${url}/reports/<jobId>
`);
