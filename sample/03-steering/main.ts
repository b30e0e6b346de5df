import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { AppModule } from './app.module.js';

const port = Number(process.env.PORT || 3000);
const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'], abortOnError: false });
app.enableShutdownHooks();
await app.listen(port);

const url = `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
console.log(`
Listening on ${url}, jobs are kept ${process.env.REDIS_URL ? 'in Redis' : 'in this process'}. Try:

  curl -X POST ${url}/shops/paris/sync          # twice: the second call answers the first one's job
  curl -X DELETE ${url}/jobs/<jobId>            # cancels it while it runs
  curl -X POST ${url}/customers/ada/exports     # one after the other
  curl -X POST ${url}/orders/1/charge           # fails: the bank is closed
  curl '${url}/admin/jobs?state=failed'         # the dead letters
  curl -X POST ${url}/bank/open
  curl -X POST '${url}/admin/retry?text=closed' # starts them afresh

Ctrl-C ends it.`);
