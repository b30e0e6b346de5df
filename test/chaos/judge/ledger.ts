/** What an app was told when it enqueued. */
export interface Ack {
  id: string;
  task: string;
  /** An earlier job answers for the call. */
  deduplicated: boolean;
  at: number;
}

/** An enqueue that rejected. */
export interface Refusal {
  /** Undefined: the error named no job. */
  id: string | undefined;
  sent: boolean;
  code: string;
  /** How long the call took, in ms. */
  took: number;
  at: number;
}

/** A task began, in one process. */
export interface Start {
  id: string;
  task: string;
  /** Of which limit or unique key; empty: none. */
  key: string;
  attempt: number;
  pid: number;
  at: number;
}

/** `done`: the effect of the task is there. `threw`: as planned, for a retry. `stopped`: its signal was aborted. */
export type Ending = 'done' | 'threw' | 'stopped';

/** A task ended, in one process. */
export interface End {
  id: string;
  attempt: number;
  pid: number;
  at: number;
  ending: Ending;
}

/** What happened, as the processes wrote it down themselves: not by the library, and not in Redis. */
export interface Ledger {
  acks: Ack[];
  refusals: Refusal[];
  starts: Start[];
  ends: End[];
}

/** A line of a ledger's file, one kind of event each. */
export const LINES = {
  ack: ({ id, task, deduplicated, at }: Ack): string => line('A', id, task, deduplicated ? 1 : 0, at),
  refusal: ({ id, sent, code, took, at }: Refusal): string => line('R', id ?? '', sent ? 1 : 0, code, took, at),
  start: ({ id, task, key, attempt, pid, at }: Start): string => line('S', id, task, key, attempt, pid, at),
  end: ({ id, attempt, pid, at, ending }: End): string => line('E', id, attempt, pid, at, ending),
};

export function emptyLedger(): Ledger {
  return { acks: [], refusals: [], starts: [], ends: [] };
}

/**
 * Adds what stands in a ledger's file. A last line that its process did not finish counts as not written.
 *
 * @throws Error for a line of an unknown kind
 */
export function readLedger(text: string, ledger: Ledger = emptyLedger()): Ledger {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  for (const one of whole.split('\n')) if (one !== '') readLine(one, ledger);
  return ledger;
}

/** What happened to jobs of some tasks only; a refused enqueue names none, and is left out. */
export function ofTasks({ acks, starts, ends }: Ledger, isMeant: (task: string) => boolean): Ledger {
  const own = { acks: acks.filter(({ task }) => isMeant(task)), starts: starts.filter(({ task }) => isMeant(task)) };
  const ids = new Set(own.starts.map(({ id }) => id));
  return { ...own, refusals: [], ends: ends.filter(({ id }) => ids.has(id)) };
}

function readLine(text: string, { acks, refusals, starts, ends }: Ledger): void {
  const [kind, ...fields] = text.split('\t');
  switch (kind) {
    case 'A': {
      const [id, task, deduplicated, at] = fields;
      acks.push({ id, task, deduplicated: deduplicated === '1', at: Number(at) });
      return;
    }
    case 'R': {
      const [id, sent, code, took, at] = fields;
      refusals.push({ id: id || undefined, sent: sent === '1', code, took: Number(took), at: Number(at) });
      return;
    }
    case 'S': {
      const [id, task, key, attempt, pid, at] = fields;
      starts.push({ id, task, key, attempt: Number(attempt), pid: Number(pid), at: Number(at) });
      return;
    }
    case 'E': {
      const [id, attempt, pid, at, ending] = fields;
      ends.push({ id, attempt: Number(attempt), pid: Number(pid), at: Number(at), ending: ending as Ending });
      return;
    }
    default:
      throw new Error(`A ledger has a line of the unknown kind '${kind}': ${text}`);
  }
}

function line(...fields: (string | number)[]): string {
  return `${fields.join('\t')}\n`;
}
