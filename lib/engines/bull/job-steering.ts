import type { JobAddress } from '../../contracts/job.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import { groupByQueue } from './job-reader.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisConnections } from './redis-connections.js';
import { keepArguments, runScript, type ScriptArgument, type ScriptName } from './scripts.js';

/** Jobs of one script call: Redis serves nobody else meanwhile, so that it must stay short. */
const JOBS_PER_CALL = 50;

/** Acts on jobs by their ids, in whatever state they are. */
export class JobSteering {
  constructor(
    private readonly connections: RedisConnections,
    private readonly keysOf: (queue: string) => QueueKeys,
    /** Answers the queue of a job that was given without; undefined for one that no queue knows. */
    private readonly locate: (job: JobAddress) => Promise<string | undefined>,
    private readonly options: { token: string; keepStopped: FailedRetention },
  ) {}

  cancel(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.act('cancel', jobs, ({ base }) => [base, Date.now(), ...this.keep]);
  }

  retry(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.act('retry', jobs, ({ base }) => [base, Date.now(), this.options.token, ...this.keep]);
  }

  remove(jobs: readonly JobAddress[]): Promise<readonly boolean[]> {
    return this.act('remove', jobs, ({ base }) => [base, Date.now()]);
  }

  move(jobs: readonly JobAddress[], toQueue: string): Promise<readonly boolean[]> {
    const to = this.keysOf(toQueue).base;
    return this.act('move', jobs, ({ base }) => [base, to, Date.now(), this.options.token, ...this.keep]);
  }

  private get keep(): ScriptArgument[] {
    return keepArguments(this.options.keepStopped);
  }

  private async act(
    script: ScriptName,
    jobs: readonly JobAddress[],
    argumentsFor: (keys: QueueKeys) => ScriptArgument[],
  ): Promise<boolean[]> {
    const answers: boolean[] = Array.from({ length: jobs.length }, () => false);
    const located = await Promise.all(
      jobs.map(async (job) => ({ id: job.id, queue: job.queue ?? (await this.locate(job)) })),
    );
    for (const [queue, indexes] of groupByQueue(located)) {
      if (queue === undefined) continue;
      const keys = this.keysOf(queue);
      for (let first = 0; first < indexes.length; first += JOBS_PER_CALL) {
        const part = indexes.slice(first, first + JOBS_PER_CALL);
        const values = [...argumentsFor(keys), ...part.map((index) => located[index].id)];
        const replies = await this.connections.run((client) =>
          runScript<number[]>(client, script, `${keys.base}wait`, values),
        );
        part.forEach((index, position) => (answers[index] = replies[position] === 1));
      }
    }
    return answers;
  }
}
