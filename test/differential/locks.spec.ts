import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobLockLostError, type TasksError } from '../../lib/contracts/errors.js';
import type { Outcome } from '../../lib/contracts/outcome.js';
import { BullEngine } from '../../lib/engines/bull/bull.engine.js';
import { deferred, eventually, type Deferred } from '../support/eventually.js';
import { newJob } from '../support/new-job.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';

const LOCK = 1_000;
const lock = 'tasks:default:job:lock';
let server: OwnServer;
let engine: BullEngine;
let outcome: Deferred<Outcome>;
let aborts: TasksError[];

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await startOwnServer();
  await server.admin.call('ACL', 'SETUSER', 'worker', 'on', '>secret', '~*', '&*', '+@all');
});
beforeEach(async () => {
  const queues = ['default'];
  const redis = `redis://worker:secret@127.0.0.1:${server.port}`;
  engine = new BullEngine({
    redis,
    prefix: 'tasks',
    queues,
    lockDuration: LOCK,
    stalledInterval: 200,
    commandTimeout: 500,
  });
  outcome = deferred<Outcome>();
  aborts = [];
  await engine.enqueue([newJob('job')]);
  const started = deferred();
  engine.work('default', { concurrency: 1, worker: 'host:1' }, () => {
    started.resolve();
    return { outcome: outcome.promise, abort: (reason) => void aborts.push(reason) };
  });
  await started.promise;
});
afterEach(async () => {
  await refuse(false);
  outcome.resolve({ type: 'completed', keep: 60_000 });
  await engine.close();
  await server.admin.flushall();
});
afterAll(() => server.stop());

/** Refuses every script of the worker, its renewals with them, or no longer. */
async function refuse(isRefused: boolean): Promise<void> {
  const sign = isRefused ? '-' : '+';
  await server.admin.call('ACL', 'SETUSER', 'worker', `${sign}eval`, `${sign}evalsha`);
}

async function pass(milliseconds: number): Promise<void> {
  const until = Date.now() + milliseconds;
  await eventually(() => expect(Date.now()).toBeGreaterThan(until));
}

describe('The lock of a job that is run', () => {
  it('is renewed for as long as the run goes on', async () => {
    await pass(LOCK * 2.5);
    expect(await server.admin.pttl(lock)).toBeGreaterThan(0);
    expect(aborts).toEqual([]);
  });

  it('outlives renewals that fail, since they are tried again', async () => {
    await pass(LOCK * 0.3);
    await refuse(true);
    await pass(LOCK * 0.5);
    await refuse(false);
    await pass(LOCK * 1.5);
    expect(await server.admin.pttl(lock)).toBeGreaterThan(0);
    expect(aborts).toEqual([]);
    outcome.resolve({ type: 'completed', keep: 60_000 });
    await eventually(async () => expect(await engine.state({ id: 'job' })).toBe('completed'));
    expect(await engine.find([{ id: 'job' }])).toMatchObject([{ crashes: 0 }]);
  });

  it('aborts the run when it is lost, with the reason', async () => {
    await server.admin.set(lock, 'somebody else', 'PX', 60_000);
    await eventually(() => expect(aborts).toEqual([expect.any(JobLockLostError)]));
    await server.admin.del(lock);
  });

  it('aborts the run when it has ended though nobody can be asked', async () => {
    await refuse(true);
    const refusedAt = Date.now();
    await eventually(() => expect(aborts[0]).toBeInstanceOf(JobLockLostError));
    expect(Date.now() - refusedAt).toBeGreaterThan(LOCK * 0.5);
  });

  it('of another type than it should be keeps no other lock from being renewed', async () => {
    await server.admin.del(lock);
    await server.admin.rpush(lock, 'garbage');
    await eventually(() => expect(aborts).toEqual([expect.any(JobLockLostError)]));
    await server.admin.del(lock);
  });
});
