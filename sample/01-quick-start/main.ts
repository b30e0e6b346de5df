import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { AppModule } from './app.module.js';

const port = Number(process.env.PORT || 3000);
const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'] });
// Ctrl-C and SIGTERM: running tasks end, the rest goes back to the queue, then the process exits.
app.enableShutdownHooks();

try {
  await app.listen(port);
} catch (error) {
  Logger.error(explain(error), 'Sample');
  await app.close();
  process.exit(1);
}

const url = `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
const photo = resolve('sample/01-quick-start/photo.jpg');
console.log(`
Listening on ${url}, jobs are kept ${process.env.REDIS_URL ? 'in Redis' : 'in this process'}. Try:

  curl -X POST ${url}/users/42/welcome      # answers at once, the mail goes out in the background
  curl ${url}/mails                         # the mails that arrived
  curl ${url}/jobs/<jobId>                  # state, runs, progress, result
  curl -F "file=@${photo}" ${url}/uploads
                                                         # makes thumbnails 5 s later; look at its job

Ctrl-C ends it.`);

function explain(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Choose another one: PORT=${port + 1} npm start`;
  if (code === 'EACCES') return `Port ${port} is not open to this user. Choose another one: PORT=3000 npm start`;
  if (code === 'ERR_SOCKET_BAD_PORT') return `PORT is '${process.env.PORT}', which is no port. Give 1 to 65535.`;
  return String(error);
}
