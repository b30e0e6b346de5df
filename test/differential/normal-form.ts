import type { Entry, Message, Snapshot } from './recording.js';
import { LOCK_DURATION, type Stage } from './stage.js';

/** One side of a comparison, without what differs from one run to the next. */
export interface Trace {
  /** Keys by their name behind the queue's base, at each capture. */
  stored: Record<string, Record<string, NormalEntry>>;
  /** What is published about each job, in order. */
  events: Record<string, NormalEvent[]>;
  /** All events in order, as `name id`; without `delayed`, of which every worker repeats what it found. */
  order: string[];
  /** How many different due times were announced. */
  dueTimes: number;
  /** Ids in the order in which they were started. */
  started: string[];
}

export interface NormalEntry {
  type: string;
  value: unknown;
  expires: boolean;
}
export type NormalEvent = { event: string } & Record<string, unknown>;

const TIMES = ['timestamp', 'processedOn', 'finishedOn'] as const;

export function toTrace(stage: Stage): Trace {
  const now = Date.now();
  const stored: Trace['stored'] = {};
  for (const [label, captured] of Object.entries(stage.captures)) {
    const entries: Record<string, NormalEntry> = {};
    for (const [key, entry] of Object.entries(captured)) {
      const name = key.startsWith(stage.base) ? key.slice(stage.base.length) : key;
      entries[name] = {
        type: entry.type,
        value: normalValue(stage, captured, name, entry, now),
        expires: entry.ttl >= 0,
      };
    }
    stored[label] = entries;
  }
  const { messages } = stage.events;
  return { stored, ...toEvents(messages), started: [...stage.started] };
}

function normalValue(stage: Stage, captured: Snapshot, name: string, entry: Entry, now: number): unknown {
  switch (entry.type) {
    case 'hash':
      return 'name' in entry.value ? normalJob(entry.value, stage.since, now) : entry.value;
    case 'zset':
      return entry.value
        .map(([id, score]) => [id, normalScore(captured[stage.base + id], name, score)])
        .toSorted(byMember);
    case 'string':
      if (name.endsWith(':lock')) return entry.ttl <= LOCK_DURATION ? '<token>' : `<locked for ${entry.ttl} ms>`;
      return name === 'stalled-check' ? '<time>' : entry.value;
    case 'list':
    case 'set':
      return entry.value;
  }
}

function byMember([one]: readonly unknown[], [other]: readonly unknown[]): number {
  return String(one) < String(other) ? -1 : 1;
}

/** Times become marks where they are of this test and in their order; anything else stays and shows as a difference. */
function normalJob(hash: Readonly<Record<string, string>>, since: number, now: number): Record<string, string> {
  const job = { ...hash };
  let earliest = since;
  for (const field of TIMES) {
    const time = Number(hash[field]);
    if (hash[field] === undefined || !(time >= earliest && time <= now)) continue;
    earliest = time;
    job[field] = '<time>';
  }
  if (Number(hash.retriedOn) >= since && Number(hash.retriedOn) <= now) job.retriedOn = '<time>';
  job.opts = hash.opts.replace(`"timestamp":${hash.timestamp}`, '"timestamp":"<time>"');
  return job;
}

function normalScore(job: Entry | undefined, set: string, score: number): unknown {
  const hash = job?.type === 'hash' ? job.value : {};
  switch (set) {
    case 'completed':
    case 'failed':
      return score === Number(hash.finishedOn) ? '<finishedOn>' : score;
    case 'kept':
      return score === Number(hash.keptUntil) ? '<keptUntil>' : score;
    case 'delayed': {
      const due = Math.floor(score / 0x1000);
      const place = score % 0x1000;
      if (due === Number(hash.timestamp) + Number(hash.delay)) return { due: '<timestamp + delay>', place };
      return due > Number(hash.processedOn) ? { due: '<after the run>', place } : score;
    }
    default:
      return score;
  }
}

function toEvents(messages: readonly Message[]): Pick<Trace, 'events' | 'order' | 'dueTimes'> {
  const events: Trace['events'] = {};
  const order: string[] = [];
  const dueTimes = new Set<number>();
  for (const { channel, text } of messages) {
    // The name behind the @ is the sender's token.
    const event = channel.replace(/@.*/, '@');
    if (event === 'delayed') {
      // Bull announces the score, whose fraction holds the order of enqueueing.
      dueTimes.add(Math.floor(Number(text)));
    } else if (['drained', 'paused', 'resumed'].includes(event)) {
      order.push(`${event} ${text}`);
    } else {
      const { jobId, ...rest } = event.endsWith('@') ? { jobId: text } : (JSON.parse(text) as { jobId: string });
      (events[jobId] ??= []).push({ event, ...rest });
      order.push(`${event} ${jobId}`);
    }
  }
  return { events, order, dueTimes: dueTimes.size };
}
