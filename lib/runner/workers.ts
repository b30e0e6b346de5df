import { Logger } from '@nestjs/common';
import type { Engine, EngineWorker } from '../contracts/engine.js';
import { TaskShutdownError } from '../contracts/errors.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { JobThreads } from './job-threads.js';
import type { Runner } from './runner.js';
import { WORKER_NAME } from './worker-name.js';

/** The workers of this process: one per queue that it serves. */
export class Workers {
  private workers: readonly EngineWorker[] = [];
  private draining: Promise<void> | undefined;
  private isStarted = false;
  private isHurried = false;

  constructor(
    private readonly engine: Engine,
    private readonly runner: Runner,
    private readonly settings: TasksSettings,
    private readonly logger = new Logger('TasksModule'),
    private readonly threads?: JobThreads,
  ) {}

  start(): void {
    // The app was closed while it was booting.
    if (this.draining) return;
    this.isStarted = true;
    const { queues, workerQueues } = this.settings;
    const { suspectFrom } = this.runner;
    this.workers = workerQueues.map((queue) => {
      const { concurrency = 1 } = queues.get(queue) ?? {};
      const options = { concurrency, worker: WORKER_NAME, suspectFrom };
      return this.engine.work(queue, options, (job, slot) => this.runner.start(job, slot));
    });
    this.runner.govern(this.workers);
    if (this.workers.length > 0) this.runner.loop.start();
  }

  /** Why this process does not work yet, or no more. */
  problems(): readonly string[] {
    if (this.draining) return ['The app is shutting down: it takes no more jobs.'];
    return this.isStarted ? [] : ['The app is booting: its workers are not started yet.'];
  }

  /**
   * Takes no more jobs and waits for the running ones: at most `shutdownGrace`, or until a second signal comes. What
   * still runs then is aborted and goes back to its queue.
   */
  drain(): Promise<void> {
    this.draining ??= this.stop();
    return this.draining;
  }

  private async stop(): Promise<void> {
    const { shutdownGrace } = this.settings;
    const abort = (): void => this.abort();
    const hurry = (): void => {
      abort();
      this.isHurried = true;
      if (this.running === 0) this.threads?.kill();
    };
    const stopped = Promise.all(this.workers.map((worker) => worker.stop()));
    this.runner.dismissWaiting();
    const running = this.running;
    if (running > 0) this.logger.log(`Waiting up to ${shutdownGrace} ms for ${running} running job(s).`);
    const timer = setTimeout(abort, shutdownGrace);
    process.on('SIGTERM', hurry).on('SIGINT', hurry);
    try {
      await stopped;
      await this.endThreads();
    } finally {
      clearTimeout(timer);
      process.off('SIGTERM', hurry).off('SIGINT', hurry);
      this.runner.loop.stop();
    }
  }

  private async endThreads(): Promise<void> {
    if (this.isHurried) this.threads?.kill();
    await this.threads?.close();
  }

  private abort(): void {
    const { running } = this;
    if (running > 0) {
      this.logger.warn(`Aborting ${running} running job(s); they go back to their queues and use no attempt.`);
    }
    const reason = new TaskShutdownError('The worker is shutting down. The job goes back to its queue.');
    for (const worker of this.workers) worker.abort(reason);
  }

  private get running(): number {
    return this.workers.reduce((sum, worker) => sum + worker.active, 0);
  }
}
