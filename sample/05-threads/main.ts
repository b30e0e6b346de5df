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

  curl -X POST ${url}/primes/5000000        # counts in a thread
  curl ${url}/jobs/<jobId>                  # its progress, its result
  curl ${url}/late                          # how late the event loop was meanwhile, in ms
  curl -X POST ${url}/primes/5000000/here   # counts on the event loop: everything waits
  curl -X POST ${url}/hoard                 # needs more memory than it may
  curl -X POST ${url}/spin                  # never ends by itself, and times out

Ctrl-C ends it.`);
