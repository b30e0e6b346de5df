import type { Ending, Ledger, Start } from './ledger.js';

/** What the library says of a job when everything is over. */
export interface JobReport {
  id: string;
  state: string;
  /** Those on record, oldest first. */
  runs: readonly RecordedRun[];
}

/** A run as the library has it on record, from the moment at which a worker took the job. */
export interface RecordedRun {
  pid: number;
  startedAt: number;
}

/** How often jobs ran beside how often they should have. */
export interface Delivery {
  /** Enqueues that were answered with a job. */
  acknowledged: number;
  /** Enqueues that rejected with `sent: false`, and with `sent: true`. */
  refused: number;
  ambiguous: number;
  /** Acknowledged jobs whose effect is not there. */
  lost: string[];
  /** Jobs of an enqueue that rejected with `sent: false`, and that ran all the same. */
  unsentRan: string[];
  /** Jobs that ran and of which no enqueue is known. */
  unknown: string[];
  /** Jobs of which one attempt began more than once. */
  repeated: string[];
  /** Jobs that began more often than the library has runs on record. */
  unrecorded: string[];
  /** Jobs that used an attempt which the task did not ask for. */
  overcounted: string[];
  /** Jobs that the library knows and does not call completed. */
  unfinished: string[];
}

/** Compares what was promised to callers with what was done, and with what is on record. */
export function judgeDelivery(
  { acks, refusals, starts, ends }: Ledger,
  reports: readonly JobReport[],
  attemptsOf: (task: string) => number = () => 1,
): Delivery {
  const acknowledged = new Set(acks.map(({ id }) => id));
  const unsent = new Set(refusals.flatMap(({ id, sent }) => (id !== undefined && !sent ? [id] : [])));
  const ambiguous = new Set(refusals.flatMap(({ id, sent }) => (id !== undefined && sent ? [id] : [])));
  const done = new Set(ends.filter(({ ending }) => ending === 'done').map(({ id }) => id));
  const started = groupById(starts);
  const recorded = new Map(reports.map((report) => [report.id, report.runs.length]));
  const jobs = [...started];
  return {
    acknowledged: acks.length,
    refused: refusals.filter(({ sent }) => !sent).length,
    ambiguous: refusals.filter(({ sent }) => sent).length,
    lost: [...acknowledged].filter((id) => !done.has(id)),
    unsentRan: [...unsent].filter((id) => started.has(id)),
    unknown: [...started.keys()].filter((id) => !acknowledged.has(id) && !unsent.has(id) && !ambiguous.has(id)),
    repeated: jobs.flatMap(([id, runs]) => (runs.length > new Set(runs.map((run) => run.attempt)).size ? [id] : [])),
    unrecorded: jobs.flatMap(([id, runs]) => (runs.length > (recorded.get(id) ?? runs.length) ? [id] : [])),
    overcounted: jobs.flatMap(([id, runs]) => (runs.some((run) => run.attempt > attemptsOf(run.task)) ? [id] : [])),
    unfinished: reports.filter(({ state }) => state !== 'completed').map(({ id }) => id),
  };
}

/** A process that was ended, and when. */
export interface Death {
  pid: number;
  at: number;
}

/** One run in one process. */
interface Stretch extends Start {
  /** Its end, or the death of its process; undefined: neither is known. */
  until: number | undefined;
  ending: Ending | 'died' | undefined;
}

/**
 * How long after a death each job that its process was running was taken again, in ms; undefined: it never was. By the
 * runs on record, since the process that took it again may have been killed before it wrote anything down itself.
 */
export function recoveries(
  ledger: Ledger,
  deaths: readonly Death[],
  reports: readonly JobReport[],
): (number | undefined)[] {
  const recorded = new Map(reports.map(({ id, runs }) => [id, runs]));
  return stretches(ledger, deaths)
    .filter(({ id, ending }) => ending === 'died' && recorded.has(id))
    .map(({ id, pid, until }) => {
      const runs = recorded.get(id)!;
      const next = runs[runs.findLastIndex((run) => run.pid === pid) + 1];
      return next && next.startedAt - until!;
    });
}

/** How long after a run was stopped its job began again, in ms; infinite where it never did. */
export function handovers({ starts, ends }: Ledger): number[] {
  const started = groupById(starts);
  return ends
    .filter(({ ending }) => ending === 'stopped')
    .map(({ id, at }) => {
      const again = (started.get(id) ?? []).filter((start) => start.at >= at);
      return Math.min(Number.POSITIVE_INFINITY, ...again.map((start) => start.at)) - at;
    });
}

/** The most runs of one key that went on at the same time. */
export function mostAtOnce(ledger: Ledger, deaths: readonly Death[], isMeant: (task: string) => boolean): number {
  const changes = new Map<string, { at: number; by: 1 | -1 }[]>();
  for (const { key, task, at, until } of stretches(ledger, deaths)) {
    if (key === '' || !isMeant(task)) continue;
    const own = changes.get(`${task}\t${key}`) ?? [];
    changes.set(`${task}\t${key}`, own);
    own.push({ at, by: 1 });
    if (until !== undefined) own.push({ at: until, by: -1 });
  }
  let most = 0;
  for (const own of changes.values()) {
    let now = 0;
    // Of the same millisecond the ends come first: clocks of a millisecond cannot tell more.
    for (const { by } of own.toSorted((a, b) => a.at - b.at || a.by - b.by)) most = Math.max(most, (now += by));
  }
  return most;
}

function stretches({ starts, ends }: Ledger, deaths: readonly Death[]): Stretch[] {
  const died = new Map(deaths.map(({ pid, at }) => [pid, at]));
  const endOf = new Map<string, { at: number; ending: Ending }[]>();
  for (const end of ends) {
    const key = runKey(end);
    const own = endOf.get(key);
    if (own) own.push(end);
    else endOf.set(key, [end]);
  }
  return starts.map((start) => {
    const end = endOf.get(runKey(start))?.find(({ at }) => at >= start.at);
    if (end) return { ...start, until: end.at, ending: end.ending };
    const death = died.get(start.pid);
    if (death === undefined) return { ...start, until: undefined, ending: undefined };
    // A process may still do something in the instant in which it is ended.
    return { ...start, until: Math.max(death, start.at), ending: 'died' };
  });
}

function runKey({ id, attempt, pid }: { id: string; attempt: number; pid: number }): string {
  return `${id}\t${attempt}\t${pid}`;
}

function groupById<T extends { id: string }>(list: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const own = groups.get(one.id);
    if (own) own.push(one);
    else groups.set(one.id, [one]);
  }
  return groups;
}
