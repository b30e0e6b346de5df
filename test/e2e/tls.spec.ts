import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import {
  EngineUnavailableError,
  Task,
  task,
  TaskQueue,
  TasksModule,
  type RedisConnection,
  type TasksModuleOptions,
} from '../../lib/index.js';
import { makeCertificate } from '../support/certificate.js';
import { startProgram } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';

@Injectable()
class EchoTasks {
  @Task() echo(text: string): string {
    return text;
  }
}

const { cert, key } = makeCertificate();
const PASSWORD = 'a secret';

let folder: string;
let caFile: string;
let server: OwnServer;
let port: number;
let app: INestApplicationContext | undefined;

beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-tls-'));
  caFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  writeFileSync(caFile, cert);
  writeFileSync(keyFile, key);
  const files = ['--tls-cert-file', caFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile];
  server = await startOwnServer(({ second }) => {
    port = second;
    return ['--tls-port', `${second}`, '--tls-auth-clients', 'no', ...files];
  });
  const rights = ['~tasks:*', '&tasks:*', '+@all'];
  await server.admin.call('ACL', 'SETUSER', 'worker', 'on', `>${PASSWORD}`, ...rights);
});

afterEach(async () => {
  await app?.close();
  app = undefined;
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: TasksModuleOptions): Promise<TaskQueue> {
  const testing = Test.createTestingModule({ imports: [TasksModule.forRoot(options)], providers: [EchoTasks] });
  app = await (await testing.compile()).createNestApplication({ logger: false }).init();
  return app.get(TaskQueue);
}

describe('Redis by TLS', () => {
  it.each<[string, () => RedisConnection]>([
    ['by options', () => ({ host: '127.0.0.1', port, username: 'worker', password: PASSWORD, tls: { ca: cert } })],
    [
      'by clients of a rediss:// URL',
      () => ({
        createClient: (role) =>
          new Redis(`rediss://worker:${encodeURIComponent(PASSWORD)}@localhost:${port}`, {
            tls: { ca: cert },
            ...(role === 'client' ? {} : { maxRetriesPerRequest: null, enableReadyCheck: false }),
          }),
      }),
    ],
  ])('has a job done, %s', async (_how, redis) => {
    const queue = await start({ redis: redis() });
    const job = await queue.enqueue(task(EchoTasks).echo('by TLS'));
    expect(await job.result({ timeout: '10s' })).toBe('by TLS');
    // Commands, subscription, and the blocking read of the idle worker.
    await eventually(async () => {
      const clients = String(await server.admin.call('CLIENT', 'LIST'));
      expect(clients.split('\n').filter((line) => line.includes('user=worker')).length).toBeGreaterThanOrEqual(3);
    });
  });

  it('has a job done by a rediss:// URL, where Node trusts the certificate', async () => {
    const program = startProgram(
      `
        import 'reflect-metadata';
        import { Module } from '@nestjs/common';
        import { NestFactory } from '@nestjs/core';
        import { Task, task, TaskQueue, TasksModule } from 'nestjs-tasks';
        class EchoTasks {
          @Task() echo(text: string) {
            return text;
          }
        }
        @Module({ imports: [TasksModule.forRoot({ redis: process.env.URL })], providers: [EchoTasks] })
        class AppModule {}
        const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
        const job = await app.get(TaskQueue).enqueue(task(EchoTasks).echo('by TLS'));
        console.log('done ' + (await job.result({ timeout: '10s' })));
        await app.close();
      `,
      { URL: `rediss://worker:${encodeURIComponent(PASSWORD)}@localhost:${port}`, NODE_EXTRA_CA_CERTS: caFile },
    );
    await program.printed(/^done by TLS$/m);
    expect(await program.ended(10_000)).toBe(0);
  });

  it.each([
    ['that nobody vouches for', () => ({ host: 'localhost', port, tls: {} }), /self-signed/],
    [
      'of another host',
      () => ({ host: '127.0.0.1', port, tls: { ca: cert, servername: 'redis.example' } }),
      /altnames|does not match/,
    ],
  ] as const)('is not spoken with a certificate %s', async (_whose, redis, reason) => {
    const lines: string[] = [];
    const note = (line: unknown): void => void lines.push(String(line));
    const testing = Test.createTestingModule({
      imports: [TasksModule.forRoot({ redis: redis(), enqueueTimeout: '500ms' })],
      providers: [EchoTasks],
    });
    const logger = { log: note, warn: note, error: note };
    app = await (await testing.compile()).createNestApplication({ logger }).init();
    const enqueued = app.get(TaskQueue).enqueue(task(EchoTasks).echo('secret'));
    await expect(enqueued).rejects.toThrow(EngineUnavailableError);
    await expect(enqueued).rejects.toMatchObject({ sent: false });
    expect(lines.join('\n')).toMatch(reason);
  });
});
