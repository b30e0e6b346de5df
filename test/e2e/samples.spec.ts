import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TaskQueue, type JobInfo, type ScheduleInfo } from 'nestjs-tasks';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';
import { AppModule } from '../../sample/01-quick-start/app.module.js';
import type { ReceivedMail } from '../../sample/01-quick-start/smtp.inbox.js';
import { AppModule as SteeringModule } from '../../sample/03-steering/app.module.js';
import { AppModule as SchedulesModule } from '../../sample/04-schedules/app.module.js';
import { json, listen } from '../support/app.js';
import { startNode, type Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix } from '../support/redis.js';

// The sample reads it when it is imported.
vi.hoisted(() => delete process.env.REDIS_URL);

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Queued {
  jobId: string;
  status: string;
}

interface Steered {
  jobId: string;
  deduplicated: boolean;
}

describe('sample 01, on the embedded engine', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    url = await listen(app);
  });

  afterAll(() => app?.close());

  const completed = (jobId: string) =>
    eventually(async () => {
      const info = await json<JobInfo>(await fetch(`${url}/jobs/${jobId}`), 200);
      expect(info.state).toBe('completed');
      return info;
    });

  it('answers at once and sends a welcome mail that can be read back', async () => {
    const queued = await json<Queued>(await fetch(`${url}/users/42/welcome`, { method: 'POST' }), 201);
    expect(queued).toEqual({ jobId: expect.any(String), status: 'queued' });

    const info = await completed(queued.jobId);
    expect(info).toMatchObject({ task: 'MailTasks.sendEmail', result: { accepted: ['42@example.com'] } });
    expect(info.runs).toMatchObject([{ attempt: 1, outcome: 'completed' }]);

    const [mail] = await json<ReceivedMail[]>(await fetch(`${url}/mails`), 200);
    expect(mail).toEqual({
      from: 'sample@example.com',
      to: ['42@example.com'],
      subject: 'Welcome!',
      text: 'Thanks for signing up.',
    });
  });

  it('makes thumbnails of an uploaded image 5 s later, with progress', async () => {
    const photo = await readFile(join(root, 'sample/01-quick-start/photo.jpg'));
    const queued = await json<Queued & { file: string }>(await upload('file', photo), 201);

    const job = app.get(TaskQueue).job(queued.jobId);
    const progress: unknown[] = [];
    const watching = new Promise<void>((complete, error) =>
      job.progress$.subscribe({ next: (value) => progress.push(value), error, complete }),
    );
    expect(await job.state()).toBe('delayed');

    const info = await completed(queued.jobId);
    const waited = new Date(info.startedAt!).getTime() - new Date(info.enqueuedAt).getTime();
    expect(waited).toBeGreaterThanOrEqual(5_000);
    expect(waited).toBeLessThan(7_000);
    await watching;
    expect(progress).toEqual([1, 2, 3].map((done) => ({ done, total: 3 })));
    expect(info.progress).toEqual({ done: 3, total: 3 });

    const { folder, files } = info.result as { folder: string; files: string[] };
    expect(files).toHaveLength(3);
    for (const [index, width] of [64, 128, 256].entries()) {
      expect((await stat(join(folder, files[index]))).size).toBeGreaterThan(0);
      const served = await fetch(`${url}/uploads/${files[index]}`);
      expect(served.headers.get('content-type')).toBe('image/jpeg');
      expect((await sharp(await served.arrayBuffer()).metadata()).width).toBe(width);
    }
    for (const file of [queued.file, ...files]) await rm(join(folder, file));
  });

  it.each([
    ['without a file', () => undefined, `in the field 'file'`],
    ['with text', () => Buffer.from('this is no image'), 'The file is no image'],
    ['with half an image', (photo: Buffer) => photo.subarray(0, photo.length / 2), 'The file is no image'],
  ])('refuses an upload %s', async (_, content, message) => {
    const file = content(await readFile(join(root, 'sample/01-quick-start/photo.jpg')));
    expect(await json(await upload('file', file), 400)).toMatchObject({ message: expect.stringContaining(message) });
  });

  it('refuses a file in another field', async () => {
    const answer = await json<{ message: string }>(await upload('photo', Buffer.from('x')), 400);
    expect(answer.message).toContain('photo');
  });

  it('answers 404 for an id that nobody knows', async () => {
    const answer = await json(await fetch(`${url}/jobs/nobody`), 404);
    expect(answer).toMatchObject({ message: expect.stringContaining(`'nobody'`) });
  });

  it.each(['nothing.jpeg', '..%2f..%2fetc%2fpasswd', '%2e%2e%2fpackage.json'])('does not serve %s', async (name) => {
    await json(await fetch(`${url}/uploads/${name}`), 404);
  });

  function upload(field: string, content: Buffer | undefined): Promise<Response> {
    const form = new FormData();
    if (content) form.set(field, new Blob([new Uint8Array(content)]), 'photo.jpg');
    return fetch(`${url}/uploads`, { method: 'POST', body: form });
  }
});

describe('sample 03, on the embedded engine', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await NestFactory.create(SteeringModule, { logger: false, abortOnError: false });
    url = await listen(app);
  });

  afterAll(() => app?.close());

  const get = async <T>(path: string) => json<T>(await fetch(`${url}/${path}`), 200);
  const post = async <T>(path: string) => json<T>(await fetch(`${url}/${path}`, { method: 'POST' }), 201);
  const remove = async <T>(path: string) => json<T>(await fetch(`${url}/${path}`, { method: 'DELETE' }), 200);
  const reaches = (jobId: string, state: string) =>
    eventually(async () => {
      const info = await get<JobInfo>(`jobs/${jobId}`);
      expect(info.state).toBe(state);
      return info;
    });

  it('answers the running job for a second call, and cancels it', async () => {
    const first = await post<Steered>('shops/paris/sync');
    expect(await post('shops/paris/sync')).toEqual({ jobId: first.jobId, deduplicated: true });
    await reaches(first.jobId, 'active');
    expect(await remove(`jobs/${first.jobId}`)).toEqual({ cancelled: true });
    expect(await get(`jobs/${first.jobId}`)).toMatchObject({ state: 'cancelled', tags: ['sync'] });
    expect(await post(`shops/paris/sync`)).toMatchObject({ deduplicated: false });
    expect(await remove('jobs?tag=sync')).toEqual({ cancelled: 1 });
  });

  it('indexes a burst of changes once', async () => {
    const jobs = [await post<Steered>('products/7/changes/1'), await post<Steered>('products/7/changes/2')];
    expect((await reaches(jobs[1].jobId, 'completed')).result).toEqual({ product: '7', change: 2 });
    await reaches(jobs[0].jobId, 'cancelled');
  });

  it('exports for one customer at a time, and cancels by tag', async () => {
    const [first, second] = await post<Steered[]>('customers/ada/exports');
    expect(await get(`jobs/${second.jobId}`)).toMatchObject({ state: 'waiting', waitingFor: 'concurrency' });
    await reaches(first.jobId, 'completed');
    expect(await remove('jobs?tag=customer:ada')).toEqual({ cancelled: 2 });
  });

  it('lets a code expire that comes late', async () => {
    await post('admin/pause');
    const { jobId } = await post<Steered>('codes/0123456');
    expect(await reaches(jobId, 'expired')).toMatchObject({ priority: 'high', runs: [] });
    await post('admin/resume');
  });

  it('alerts of a charge that failed, and starts it afresh once that can be put right', async () => {
    const { jobId } = await post<Steered>('orders/1/charge');
    await reaches(jobId, 'failed');
    await eventually(async () => {
      expect(await get('alerts')).toEqual([`Job ${jobId}: The bank is closed, so order 1 was not paid.`]);
    });
    expect(await get('admin/jobs?state=failed')).toMatchObject({ jobs: [{ id: jobId, tags: ['order:1'] }] });
    await post('bank/open');
    expect(await post('admin/retry?text=closed')).toEqual({ retried: 1 });
    expect((await reaches(jobId, 'completed')).result).toEqual({ order: '1', paid: true });
    expect(await get('admin/counts')).toMatchObject({ failed: 0 });
  });
});

describe('sample 04, on the embedded engine', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await NestFactory.create(SchedulesModule, { logger: false, abortOnError: false });
    url = await listen(app);
  });

  afterAll(() => app?.close());

  const call = async <T>(method: string, path: string, status: number, body?: object): Promise<T> =>
    json<T>(
      await fetch(`${url}/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      }),
      status,
    );
  const find = async (name: string): Promise<ScheduleInfo> => {
    const schedules = await call<ScheduleInfo[]>('GET', 'schedules', 200);
    return schedules.find((schedule) => schedule.name === name)!;
  };
  const journal = () => call<string[]>('GET', 'journal', 200);

  it('runs what a deploy begins with, and what is due', async () => {
    await eventually(async () => expect(await journal()).toContain('daily report, because a deploy began'));
    await eventually(async () =>
      expect((await journal()).filter((line) => line.startsWith('beat of'))).not.toEqual([]),
    );
    expect(await call('GET', 'registry', 200)).toEqual({
      cronJobs: ['ReportTasks.daily', 'slow'],
      intervals: ['ReportTasks.beat'],
    });
  });

  it('tells when a schedule is due next, by the clock of Paris', async () => {
    const dates = await call<string[]>('GET', 'schedules/ReportTasks.daily/next?count=5', 200);
    expect(dates).toHaveLength(5);
    for (const date of dates) {
      const time = new Date(date).toLocaleString('en-GB', {
        timeZone: 'Europe/Paris',
        weekday: 'short',
        hour: '2-digit',
        minute: '2-digit',
      });
      expect(time).toMatch(/^(Mon|Tue|Wed|Thu|Fri).*09:00$/);
    }
  });

  it('skips what is due while the last run goes on', async () => {
    await eventually(async () => expect((await find('slow')).skipped).toBeGreaterThan(0));
  });

  it('triggers, pauses and resumes', async () => {
    const { jobId } = await call<Queued>('POST', 'schedules/ReportTasks.daily/trigger', 201);
    expect(jobId).toEqual(expect.any(String));
    const body = { reason: 'quiet' };
    expect(await call('POST', 'schedules/ReportTasks.beat/pause', 201, body)).toEqual({ paused: true });
    expect((await find('ReportTasks.beat')).paused).toMatchObject({ reason: 'quiet' });
    expect(await call('POST', 'schedules/ReportTasks.beat/resume', 201)).toEqual({ paused: false });
    expect(await find('ReportTasks.beat')).not.toHaveProperty('paused');
  });

  it('has a schedule of its own for a tenant', async () => {
    await call('PUT', 'tenants/ada/report', 200, { every: '100ms' });
    await eventually(async () => expect(await journal()).toContain('report of ada, by report:ada'));
    expect(await find('report:ada')).toMatchObject({ source: 'set', when: '100ms', task: 'ReportTasks.tenantReport' });
    expect(await call('DELETE', 'tenants/ada/report', 200)).toEqual({ removed: true });
    expect(await find('report:ada')).toBeUndefined();
  });
});

describe('the samples as processes', () => {
  const children: Child[] = [];

  beforeAll(ensureBuilt, 180_000);
  afterEach(() => Promise.all(children.splice(0).map((child) => child.kill('SIGKILL'))));

  function start(file: string, env: NodeJS.ProcessEnv): Child {
    const child = startNode(`.build/sample/${file}`, { env });
    children.push(child);
    return child;
  }

  it('01 prints its URL and ends by itself on SIGTERM', async () => {
    const app = start('01-quick-start/main.js', { PORT: '0', REDIS_URL: undefined });
    const [, url] = await app.printed(/Listening on (\S+),/);
    expect(app.output).toContain(`curl -X POST ${url}/users/42/welcome`);
    expect((await stat(/file=@([^"]+)/.exec(app.output)![1])).size).toBeGreaterThan(0);

    await json(await fetch(`${url}/users/42/welcome`, { method: 'POST' }), 201);
    await app.kill('SIGTERM');
    expect(app.output).not.toMatch(/error/i);
  });

  it('01 says which port is taken', async () => {
    const first = start('01-quick-start/main.js', { PORT: '0', REDIS_URL: undefined });
    const [, port] = await first.printed(/localhost:(\d+),/);
    const second = start('01-quick-start/main.js', { PORT: port, REDIS_URL: undefined });
    await second.printed(new RegExp(`Port ${port} is taken`));
  });

  it('03 prints its URL and ends by itself on SIGTERM', async () => {
    const app = start('03-steering/main.js', { PORT: '0', REDIS_URL: undefined });
    const [, url] = await app.printed(/Listening on (\S+),/);
    await json(await fetch(`${url}/shops/paris/sync`, { method: 'POST' }), 201);
    await app.kill('SIGTERM');
    expect(app.output).not.toMatch(/error/i);
  });

  it('05 counts primes in a thread, and goes on when one runs out of memory or never ends', async () => {
    const app = start('05-threads/main.js', { PORT: '0', REDIS_URL: undefined });
    const [, url] = await app.printed(/Listening on (\S+),/);
    const post = async (path: string) => json<Queued>(await fetch(`${url}/${path}`, { method: 'POST' }), 201);
    const ended = ({ jobId }: Queued, state: string) =>
      eventually(
        async () => {
          const info = await json<JobInfo>(await fetch(`${url}/jobs/${jobId}`), 200);
          expect(info.state).toBe(state);
          return info;
        },
        { timeout: 20_000 },
      );
    const spinning = await post('spin');
    const counted = await ended(await post('primes/200000'), 'completed');
    expect(counted).toMatchObject({ result: { primes: 17_984 }, progress: { done: 20, total: 20 } });
    expect((counted.result as { thread: number }).thread).toBeGreaterThan(0);
    expect(await ended(await post('primes/1000/here'), 'completed')).toMatchObject({
      result: { primes: 168, thread: 0 },
    });
    expect((await ended(spinning, 'failed')).error).toMatchObject({ code: 'TASKS_TASK_TIMEOUT' });
    expect((await ended(await post('hoard'), 'failed')).error).toMatchObject({ code: 'TASKS_TASK_CRASHED' });
    expect((await json<{ late: number }>(await fetch(`${url}/late`), 200)).late).toBeLessThan(1_000);
    await app.kill('SIGTERM');
  }, 60_000);

  it('02 loses nothing when its worker is killed', async () => {
    const env = { PORT: '0', REDIS_URL: inject('redisUrl'), TASKS_PREFIX: freshPrefix() };
    const api = start('02-redis/api.js', env);
    const [, url] = await api.printed(/listens on (\S+)\. /);

    const first = start('02-redis/worker.js', env);
    const titles = ['spring', 'summer', 'autumn'];
    const queued = await Promise.all(
      titles.map(async (title) => json<Queued>(await fetch(`${url}/reports/${title}`, { method: 'POST' }), 201)),
    );
    await first.printed(/page 2 of/);
    expect(await first.kill('SIGKILL')).toBe('SIGKILL');

    const second = start('02-redis/worker.js', env);
    for (const [index, { jobId }] of queued.entries()) {
      const info = await eventually(
        async () => {
          const current = await json<JobInfo>(await fetch(`${url}/reports/${jobId}`), 200);
          expect(current.state).toBe('completed');
          return current;
        },
        { timeout: 40_000 },
      );
      expect(info.result).toEqual({ title: titles[index], pages: 10, worker: second.pid });
      expect(info.runs.at(-1)).toMatchObject({ attempt: 1, outcome: 'completed' });
    }

    const infos = await Promise.all(
      queued.map(async ({ jobId }) => json<JobInfo>(await fetch(`${url}/reports/${jobId}`), 200)),
    );
    const crashed = infos.filter(({ runs }) => runs[0].outcome === 'crashed');
    expect(crashed.map(({ crashes }) => crashes)).toEqual([1, 1]);
  }, 60_000);
});
