/** Answers by which Redis refuses its work as a whole, by their first word, and what to do about each. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'Its memory is full: raise maxmemory, remove jobs, or keep fewer ended ones (keepResult, keepFailed).',
  MISCONF: 'It cannot write its data to disk: its log says why.',
  READONLY: 'It is a replica: name the master in the option redis, or use Sentinel, which finds the new one.',
  MASTERDOWN: 'It is a replica, and its master is away.',
  NOREPLICAS: 'It has fewer replicas than its min-replicas-to-write asks for.',
  CLUSTERDOWN: 'A part of the cluster has no master.',
  LOADING: 'It reads its data after a start.',
  BUSY: `A script of somebody runs for long; SCRIPT KILL ends it.`,
  NOAUTH: 'It wants a password: give one in the option redis.',
  WRONGPASS: 'User name or password in the option redis are wrong.',
};

/** Scripts put words of their own around the answer. */
const PATTERN = new RegExp(`(?:^|[-:\\s])(${Object.keys(REFUSALS).join('|')}) `);

export interface Refusal {
  code: string;
  /** What to do about it, in a sentence. */
  advice: string;
}

/** Whether an answer means that Redis works for nobody at present; undefined where it is about one command. */
export function findRefusal(message: string): Refusal | undefined {
  const code = PATTERN.exec(message)?.[1];
  return code === undefined ? undefined : { code, advice: REFUSALS[code] };
}
