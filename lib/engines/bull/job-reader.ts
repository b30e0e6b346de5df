import type { KnownState } from '../../contracts/engine.js';
import type { JobAddress, JobRecord, WaitingFor } from '../../contracts/job.js';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { JobEnd } from './job-watchers.js';
import type { QueueKeys } from './queue-keys.js';
import type { RedisConnections } from './redis-connections.js';
import { sweepQueue } from './queue-sweep.js';
import { keepArguments, runScript } from './scripts.js';
import { readJobRecord } from './stored-job.js';

type Located = [queue: number, state: KnownState];
type Stored = [...Located, hash: string[], logs: string[], due: string, reason: WaitingFor | ''];

/** Whole jobs of one script call: Redis serves nobody else meanwhile. */
const JOBS_PER_CALL = 100;

/** Reads jobs, each in its queue or, where that is not known, in every declared one, in one round trip. */
export class JobReader {
  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: ReadonlyMap<string, QueueKeys>,
    private readonly keysOf: (queue: string) => QueueKeys,
    /** Of expired jobs. */
    private readonly keep: FailedRetention,
  ) {}

  async locate(job: JobAddress): Promise<{ queue: string; state: KnownState } | undefined> {
    const { queues, answers } = await this.read<Located>('state', job.queue, [job.id]);
    const [found] = answers;
    return found.length === 0 ? undefined : { queue: queues[found[0] - 1].queue, state: found[1] };
  }

  async records(jobs: readonly JobAddress[]): Promise<(JobRecord | undefined)[]> {
    const records: (JobRecord | undefined)[] = Array.from({ length: jobs.length });
    const byQueue = groupByQueue(jobs);
    await Promise.all(
      [...byQueue].map(async ([queue, indexes]) => {
        for (let first = 0; first < indexes.length; first += JOBS_PER_CALL) {
          const part = indexes.slice(first, first + JOBS_PER_CALL);
          const ids = part.map((index) => jobs[index].id);
          const { queues, answers } = await this.read<Stored>('all', queue, ids);
          answers.forEach((answer, position) => {
            if (answer.length > 0) records[part[position]] = toRecord(queues, ids[position], answer as Stored);
          });
        }
      }),
    );
    return records;
  }

  async ends(keys: QueueKeys, ids: readonly string[]): Promise<readonly (JobEnd | [])[]> {
    return (await this.read<JobEnd>('end', keys.queue, ids)).answers;
  }

  async counts(keys: QueueKeys): Promise<Record<KnownState, number>> {
    await sweepQueue(this.connections, keys, this.keep);
    const [waiting, delayed, active, completed, failed, cancelled, expired] = await this.connections.run((client) =>
      runScript<number[]>(client, 'countJobs', `${keys.base}wait`, [keys.base]),
    );
    return { waiting, delayed, active, completed, failed, cancelled, expired };
  }

  private async read<T extends unknown[]>(
    what: 'state' | 'end' | 'all',
    queue: string | undefined,
    ids: readonly string[],
  ): Promise<{ queues: readonly QueueKeys[]; answers: readonly (T | [])[] }> {
    const queues = queue === undefined ? [...this.keys.values()] : [this.keysOf(queue)];
    // In a cluster each queue has a server of its own.
    const calls = this.connections.isCluster ? queues.map((one) => [one]) : [queues];
    const replies = await Promise.all(
      calls.map((call) => {
        const bases = call.map(({ base }) => base);
        return this.connections.read((client) =>
          runScript<(T | [])[]>(client, 'readJobs', `${bases[0]}wait`, [
            Date.now(),
            ...keepArguments(this.keep),
            what,
            bases.length,
            ...bases,
            ...ids,
          ]),
        );
      }),
    );
    const answers = ids.map((_id, index): T | [] => {
      const number = replies.findIndex((reply) => reply[index].length > 0);
      if (number === -1) return [];
      const answer = replies[number][index];
      return calls.length === 1 ? answer : ([number + 1, ...answer.slice(1)] as T);
    });
    return { queues, answers };
  }
}

function toRecord(queues: readonly QueueKeys[], id: string, stored: Stored): JobRecord {
  const [number, state, fields, logs, due, reason] = stored;
  const hash: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) hash[fields[at]] = fields[at + 1];
  const record = readJobRecord(queues[number - 1].queue, id, state, hash);
  record.logs = logs;
  if (due !== '') record.dueAt = Number(due);
  if (reason !== '') record.waitingFor = reason;
  return record;
}

/** The positions of each queue's items, so that answers find their way back. */
export function groupByQueue<Queue extends string | undefined>(
  items: readonly { queue?: Queue }[],
): Map<Queue, number[]> {
  const groups = new Map<Queue, number[]>();
  items.forEach(({ queue }, index) => {
    const indexes = groups.get(queue as Queue);
    if (indexes) indexes.push(index);
    else groups.set(queue as Queue, [index]);
  });
  return groups;
}
