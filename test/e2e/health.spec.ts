import { Controller, Get, Injectable, ServiceUnavailableException, type OnModuleInit } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { Task, task, TaskHealth, TaskQueue, type TaskReadiness } from '../../lib/index.js';
import { json, listen } from '../support/app.js';
import { ENGINES } from '../support/engines.js';
import { deferred, eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { createLoggedApp, startLoggedApp, type LoggedApp } from '../support/logged-app.js';
import { startOwnServer, type OwnServer } from '../support/own-server.js';
import { Proxy } from '../support/proxy.js';
import { freshPrefix, redisUrl } from '../support/redis.js';

const READY: TaskReadiness = { ready: true, problems: [] };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function started(...args: Parameters<typeof startLoggedApp>): Promise<LoggedApp & { health: TaskHealth }> {
  const { app, lines } = await startLoggedApp(...args);
  ends.push(() => app.close());
  return { app, lines, health: app.get(TaskHealth) };
}

async function ownServer(): Promise<OwnServer> {
  const server = await startOwnServer();
  ends.push(() => server.stop());
  return server;
}

async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; took: number }> {
  const before = performance.now();
  const answer = await work();
  return { answer, took: performance.now() - before };
}

/** Until it says so, and how long that took in ms. */
async function becomes(health: TaskHealth, ready: boolean): Promise<number> {
  const { took } = await timed(() =>
    eventually(async () => expect((await health.ready()).ready).toBe(ready), { timeout: 8_000 }),
  );
  return took;
}

describe.each(ENGINES)('TaskHealth on the %s engine', (_name, engine) => {
  it('is ready once the app has booted, and says so quickly', async () => {
    const { health } = await started(engine(), []);
    expect(await health.ready()).toEqual(READY);
    const { answer, took } = await timed(() => health.ready());
    expect(answer).toEqual(READY);
    expect(took).toBeLessThan(100);
  });

  it('is ready in a process that runs no jobs', async () => {
    const { health } = await started({ ...engine(), worker: false }, []);
    expect(await health.ready()).toEqual(READY);
  });

  it('is not ready while the app boots', async () => {
    const seen: TaskReadiness[] = [];
    @Injectable()
    class Early implements OnModuleInit {
      constructor(private readonly health: TaskHealth) {}
      async onModuleInit(): Promise<void> {
        seen.push(await this.health.ready());
      }
    }
    await started(engine(), [Early]);
    expect(seen).toEqual([{ ready: false, problems: ['The app is booting: its workers are not started yet.'] }]);
  });

  it('is not ready while the app drains, so that a load balancer takes it out, and after it', async () => {
    const running = deferred();
    const gate = deferred();
    class SlowTasks {
      @Task() async run(): Promise<void> {
        running.resolve();
        await gate.promise;
      }
    }
    @Controller('health')
    class HealthController {
      constructor(private readonly tasks: TaskHealth) {}

      @Get('ready')
      async ready() {
        const { ready, problems } = await this.tasks.ready();
        if (!ready) throw new ServiceUnavailableException(problems);
        return { ready };
      }
    }
    const { app } = await createLoggedApp(engine(), [SlowTasks], { controllers: [HealthController] });
    ends.push(() => app.close());
    const url = `${await listen(app)}/health/ready`;
    const close = { headers: { connection: 'close' } };
    expect(await json(await fetch(url, close), 200)).toEqual({ ready: true });
    await app.get(TaskQueue).enqueue(task(SlowTasks).run());
    await running.promise;
    const closing = app.close();
    await eventually(async () => {
      expect(await json(await fetch(url, close), 503)).toMatchObject({
        message: [expect.stringMatching(/shutting down/)],
      });
    });
    gate.resolve();
    await closing;
    const { ready, problems } = await app.get(TaskHealth).ready();
    expect(ready).toBe(false);
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe('TaskHealth when Redis', () => {
  it('is killed and comes back: tells each within 5 s, answers at once in between, and never rejects', async () => {
    const server = await ownServer();
    const { health, lines } = await started({ redis: server.url, prefix: freshPrefix() }, []);
    expect(await health.ready()).toEqual(READY);
    await server.kill();
    const noticedIn = await becomes(health, false);
    const { answer, took } = await timed(() => health.ready());
    expect(answer.problems).toEqual([expect.stringMatching(/^Redis is away \(.*ECONN/)]);
    expect(took).toBeLessThan(100);
    server.start();
    const backIn = await becomes(health, true);
    console.log(`readiness false after ${Math.round(noticedIn)} ms, true ${Math.round(backIn)} ms after the start`);
    expect(noticedIn).toBeLessThan(5_000);
    expect(backIn).toBeLessThan(5_000);
    expect(lines).toEqual([
      expect.stringMatching(/^Redis is away/),
      expect.stringMatching(/^Redis is back after \d+ s/),
    ]);
  });

  it('swallows every byte: tells within 5 s that it began and that it is over', async () => {
    const proxy = await Proxy.start(redisUrl());
    ends.push(() => proxy.stop());
    const { health, lines } = await started({ redis: proxy.url, prefix: freshPrefix() }, []);
    expect(await health.ready()).toEqual(READY);
    proxy.blackHole();
    const noticedIn = await becomes(health, false);
    await eventually(() => expect(lines).toEqual([expect.stringMatching(/^Redis is away \(it .*did not answer/)]));
    const { took } = await timed(() => health.ready());
    proxy.heal();
    const backIn = await becomes(health, true);
    console.log(`readiness false after ${Math.round(noticedIn)} ms, true ${Math.round(backIn)} ms after it was healed`);
    expect(noticedIn).toBeLessThan(5_000);
    expect(took).toBeLessThan(1_200);
    expect(backIn).toBeLessThan(5_000);
  });

  it('is asked a thousand times at once and then every 10 ms: sends it one question per half second', async () => {
    const server = await ownServer();
    const { health } = await started({ redis: server.url, prefix: freshPrefix() }, []);
    await server.admin.config('RESETSTAT');
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => health.ready()));
    expect(answers.every(({ ready }) => ready)).toBe(true);
    for (let probe = 0; probe < 40; probe++) {
      expect(await health.ready()).toEqual(READY);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const stats = await server.admin.info('commandstats');
    const asked = Number(/cmdstat_set:calls=(\d+)/.exec(stats)?.[1]);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(8);
    expect(await server.admin.keys('*reachable*')).toEqual([]);
  });

  it('refuses a script of the worker: names the queue and the reason, in one line', async () => {
    const server = await ownServer();
    await server.admin.acl('SETUSER', 'narrow', 'on', '>secret', '~*', '&*', '+@all', '-rpop');
    const url = `redis://narrow:secret@127.0.0.1:${server.port}`;
    const { health, lines } = await started({ redis: url, prefix: freshPrefix() }, []);
    await eventually(async () => {
      expect(await health.ready()).toMatchObject({
        ready: false,
        problems: [expect.stringMatching(/^The worker of queue default takes no jobs, .*can't run this command/)],
      });
    });
    await server.admin.acl('SETUSER', 'narrow', '+rpop');
    expect(await becomes(health, true)).toBeLessThan(5_000);
    expect(lines).toEqual([expect.stringMatching(/^The worker of queue default/)]);
  });

  it('wants another password: says what to do, in one line', async () => {
    const server = await ownServer();
    await server.admin.config('SET', 'requirepass', 'secret');
    const { health, lines } = await started({ redis: server.url, prefix: freshPrefix() }, []);
    await becomes(health, false);
    await eventually(async () =>
      expect((await health.ready()).problems).toEqual([
        expect.stringMatching(/^Redis refuses its work \(.*NOAUTH.*\)\. It wants a password/),
      ]),
    );
    const wrong = `redis://:wrong@127.0.0.1:${server.port}`;
    const other = await started({ redis: wrong, prefix: freshPrefix() }, []);
    await eventually(async () =>
      expect((await other.health.ready()).problems).toEqual([
        expect.stringMatching(/^Redis refuses its work \(WRONGPASS .*\)\. User name or password/),
      ]),
    );
    expect(lines).toEqual([expect.stringMatching(/NOAUTH/)]);
    expect(other.lines).toEqual([expect.stringMatching(/WRONGPASS/)]);
  });
});

describe('An app whose Redis is away when it boots', () => {
  it('starts all the same, is not ready within 5 s, says so in one line, and works within 5 s of its start', async () => {
    class LateTasks {
      @Task() run(): string {
        return 'done';
      }
    }
    const server = await startOwnServer(undefined, { isDown: true });
    ends.push(() => server.stop());
    const { app, health, lines } = await started({ redis: server.url, prefix: freshPrefix() }, [LateTasks]);
    expect(await becomes(health, false)).toBeLessThan(5_000);
    const { answer: error, took } = await timed(() =>
      app
        .get(TaskQueue)
        .enqueue(task(LateTasks).run())
        .catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: false });
    expect(took).toBeLessThan(2_500);
    expect(lines).toEqual([expect.stringMatching(/^Redis is away \(.*ECONNREFUSED/)]);
    server.start();
    const { took: ranIn } = await timed(async () => {
      const job = await eventually(() => app.get(TaskQueue).enqueue(task(LateTasks).run()));
      expect(await job.result({ timeout: '10s' })).toBe('done');
    });
    console.log(`first job done ${Math.round(ranIn)} ms after Redis was started`);
    expect(ranIn).toBeLessThan(5_000);
    expect(await becomes(health, true)).toBeLessThan(5_000);
    expect(lines).toHaveLength(2);
  });

  it.each([
    ['refuses connections', async () => `redis://127.0.0.1:${await freePort()}`, /ECONNREFUSED/],
    [
      'swallows every byte',
      async () => {
        const proxy = await Proxy.start(redisUrl());
        ends.push(() => proxy.stop());
        proxy.blackHole();
        return proxy.url;
      },
      /has not answered|did not answer|could not be reached/,
    ],
    [
      'wants another password',
      async () => {
        const server = await ownServer();
        await server.admin.config('SET', 'requirepass', 'secret');
        return `redis://:wrong@127.0.0.1:${server.port}`;
      },
      /WRONGPASS.*User name or password/s,
    ],
  ])('fails to boot with failFast, and nothing else is logged, when it %s', async (_how, redis, reason) => {
    const options = { redis: await redis(), prefix: freshPrefix(), failFast: true };
    const { answer: error, took } = await timed(() =>
      createLoggedApp(options, []).then(
        () => 'started',
        (problem: unknown) => problem,
      ),
    );
    expect(error).toMatchObject({ code: 'TASKS_ENGINE_UNAVAILABLE', sent: false });
    expect((error as Error).message).toMatch(/^The app does not start without its engine \(failFast: true\)\. /);
    expect((error as Error).message).toMatch(reason);
    expect(took).toBeLessThan(2_500);
  });

  it('boots with failFast when Redis is there', async () => {
    const { health } = await started({ redis: redisUrl(), prefix: freshPrefix(), failFast: true }, []);
    expect(await health.ready()).toEqual(READY);
  });
});
