import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { AppModule } from './app.module.js';

const port = Number(process.env.PORT || 3000);
const app = await NestFactory.create(AppModule, { logger: ['log', 'warn', 'error', 'fatal'], abortOnError: false });
app.enableShutdownHooks();
await app.listen(port);

const url = `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
console.log(`
Listening on ${url}, schedules are kept ${process.env.REDIS_URL ? 'in Redis' : 'in this process'}. Try:

  curl ${url}/schedules                                  # next and last tick, skipped, missed …
  curl '${url}/schedules/ReportTasks.daily/next?count=5'
  curl -X POST ${url}/schedules/ReportTasks.daily/trigger
  curl -X POST ${url}/schedules/ReportTasks.beat/pause -d reason=quiet
  curl -X POST ${url}/schedules/ReportTasks.beat/resume
  curl -X PUT ${url}/tenants/ada/report -d every=1s      # a schedule of its own for a tenant
  curl -X DELETE ${url}/tenants/ada/report
  curl ${url}/journal

Ctrl-C ends it.`);
