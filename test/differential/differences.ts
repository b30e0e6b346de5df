import type { NormalEntry, Trace } from './normal-form.js';
import type { Producer, Side } from './stage.js';

/** A way in which our side may differ from Bull's, and why. Whatever is not named here fails the comparison. */
export interface Difference {
  what: string;
  because: string;
  /** Removes it from the trace of one side. */
  level(trace: Trace, side: Side): void;
  /** Whose jobs show it; absent: all. */
  producer?: Producer;
}

type Hash = Record<string, string>;

function eachKey(
  trace: Trace,
  visit: (name: string, entry: NormalEntry, entries: Record<string, NormalEntry>) => void,
) {
  for (const entries of Object.values(trace.stored)) {
    for (const [name, entry] of Object.entries(entries)) visit(name, entry, entries);
  }
}

export function eachJob(trace: Trace, visit: (hash: Hash, id: string) => void): void {
  eachKey(trace, (name, { type, value }) => {
    const hash = value as Hash;
    if (type === 'hash' && 'name' in hash) visit(hash, name);
  });
}

function dropKey(name: string): Difference['level'] {
  return (trace) => eachKey(trace, (key, _entry, entries) => key === name && delete entries[name]);
}

/** Differences that every scenario may show. */
export const EVERYWHERE: readonly Difference[] = [
  {
    what: 'fields `worker`, `runs`, `metadata`, `keptUntil` of a job',
    because: 'Bull keeps no record of runs, has no metadata, and keeps finished jobs by what is written in `opts`.',
    level: (trace, side) =>
      side === 'ours' &&
      eachJob(trace, (hash) => {
        // What is there must be readable.
        if (hash.runs !== undefined) JSON.parse(`[${hash.runs}]`);
        if (hash.keptUntil !== undefined && !(Number(hash.keptUntil) > Date.now())) return;
        for (const field of ['worker', 'runs', 'metadata', 'keptUntil']) delete hash[field];
      }),
  },
  {
    what: 'sorted set `kept`',
    because: 'Finished jobs end by age without another one finishing, which is when Bull looks.',
    level: (trace, side) =>
      side === 'ours' &&
      eachKey(trace, (name, { value }, entries) => {
        const isSound = name === 'kept' && (value as [string, unknown][]).every(([, score]) => score === '<keptUntil>');
        if (isSound) delete entries.kept;
      }),
  },
  {
    what: 'sorted sets `failed:<task>`',
    because: 'How many failed jobs are kept is said by each task, and holds for its own.',
    level: (trace, side) =>
      side === 'ours' &&
      eachKey(trace, (name, { value }, entries) => {
        if (!name.startsWith('failed:')) return;
        const failed = new Set(((entries.failed?.value ?? []) as [string, unknown][]).map(([id]) => id));
        if ((value as [string, unknown][]).every(([id]) => failed.has(id))) delete entries[name];
      }),
  },
  {
    what: '`error` of the event `failed`',
    because: 'Who waits for a result gets the whole error without reading the job.',
    level: (trace, side) => {
      if (side === 'bull') return;
      for (const event of Object.values(trace.events).flat()) {
        const { message } = (event.error ?? {}) as { message?: unknown };
        if (event.event === 'failed' && message === event.val) delete event.error;
      }
    },
  },
  {
    what: '`opts` of a job that our engine added',
    because: '`spread` and the options that the call set: below 64 bytes, where Bull repeats delay, time and id.',
    producer: 'engine',
    level: (trace, side) =>
      eachJob(trace, (hash) => {
        if (side === 'bull' || (JSON.parse(hash.opts) as { spread?: number }).spread === 1) hash.opts = '<opts>';
      }),
  },
  {
    what: 'set `stalled`',
    because: 'Bull marks every active job at each check; here the age of the lock decides.',
    level: dropKey('stalled'),
  },
];

// ── Differences of single scenarios, named where they are expected ─────────────────────────────

export const noResultIsAbsent: Difference = {
  what: 'field `returnvalue` of a job without a result',
  because: 'Bull stores `null` for undefined; here "nothing" and null are not the same.',
  level: (trace, side) =>
    side === 'bull' &&
    eachJob(trace, (hash, id) => {
      const end = trace.events[id]?.find(({ event }) => event === 'completed');
      if (end && !('val' in end) && hash.returnvalue === 'null') delete hash.returnvalue;
    }),
};

export const checksExpire: Difference = {
  what: 'key `stalled-check`',
  because: 'With an interval of some ms it is a matter of chance whether the key is there when it is read.',
  level: dropKey('stalled-check'),
};

export const onlyRunsCrash: Difference = {
  what: '`stalledCounter` of a job that was popped and never started',
  because: 'A worker that dies between popping and locking has not run the job: no crash of the task is counted.',
  level: (trace, side) => side === 'bull' && eachJob(trace, (hash) => delete hash.stalledCounter),
};

export const drainedAsOften: Difference = {
  what: 'how often `drained` is published',
  because: 'With several jobs at a time it depends on timing, in Bull too: each free slot that finds nothing tells.',
  level: (trace) => {
    trace.order = trace.order.filter((event) => event !== 'drained ');
  },
};

export const orderAmongJobs: Difference = {
  what: 'order of events about different jobs, and of starts',
  because: 'With several jobs or workers at a time it depends on timing.',
  level: (trace) => {
    trace.order = trace.order.toSorted();
    trace.started = trace.started.toSorted();
  },
};

export const keptUntilPruned: Difference = {
  what: 'sorted sets `kept` and `failed:<task>` after a tool of Bull removed finished jobs',
  because:
    'Bull does not know the sets; an entry without a job goes when its time is over, or when there are too many.',
  level: (trace) =>
    eachKey(trace, (name, _entry, entries) => (name === 'kept' || name.startsWith('failed:')) && delete entries[name]),
};

export const retryGoesLast: Difference = {
  what: 'order after a retry of a job that a producer added with `lifo`',
  because: 'A retry goes behind the jobs that wait, so that a job that fails does not hold them up.',
  level: (trace, side) => orderAmongJobs.level(trace, side),
};
