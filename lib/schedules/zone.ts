import { expectThat, isText } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';
import { suggest } from '../contracts/suggestion.js';

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** No clock is, or was, further from UTC. */
export const FURTHEST_OFFSET = 16 * HOUR;

/** No clock was ever turned back by more: a day, where the date line moved. */
const LONGEST_STEP_BACK = 25 * HOUR;

/** Days whose offsets are kept per zone: ticks are asked for around now, or one after another. */
const DAYS_KEPT = 200;

/** A stretch of time in which the clock keeps one offset; `end` is no part of it. */
export interface Stretch {
  start: number;
  end: number;
  /** Wall time minus UTC, in milliseconds. */
  offset: number;
}

/**
 * The clock on the wall of a time zone. Wall times are milliseconds like instants, as if the wall were in Greenwich.
 *
 * Only the offsets around an instant are asked for, never what the zone's standard time is: where Casablanca and Dublin
 * change their clock, the standard time is what others call summer time.
 */
export class Zone {
  private readonly format: Intl.DateTimeFormat;
  private readonly isUtc: boolean;
  private readonly days = new Map<number, readonly Stretch[]>();

  constructor(name: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    this.isUtc = this.format.resolvedOptions().timeZone === 'UTC';
  }

  /** The stretches of one offset from `start` up to `end`, in their order. Both are whole seconds. */
  stretches(start: number, end: number): Stretch[] {
    if (this.isUtc) return [{ start, end, offset: 0 }];
    const found: Stretch[] = [];
    for (let day = Math.floor(start / DAY); day * DAY < end; day += 1) {
      for (const stretch of this.stretchesOf(day)) {
        const current = found.at(-1);
        if (stretch.end <= start || stretch.start >= end) continue;
        if (current?.offset === stretch.offset) current.end = Math.min(stretch.end, end);
        else found.push({ ...stretch, start: Math.max(stretch.start, start), end: Math.min(stretch.end, end) });
      }
    }
    return found;
  }

  /** The latest wall time that the clock has shown up to an instant: later than now where it was turned back since. */
  latestShown(instant: number): number {
    const stretches = this.stretches(instant - LONGEST_STEP_BACK, instant + SECOND);
    return Math.max(...stretches.map(({ end, offset }) => end - SECOND + offset));
  }

  /** The first instant at which the clock shows a wall time or has jumped past it. */
  firstReached(wall: number): number {
    const stretches = this.stretches(wall - FURTHEST_OFFSET, wall + FURTHEST_OFFSET);
    const { start, offset } = stretches.find((stretch) => wall - stretch.offset < stretch.end)!;
    return Math.max(start, wall - offset);
  }

  /** Those of a day of UTC, counted from the epoch: one, or two where the clock changes. It does so once in weeks. */
  private stretchesOf(day: number): readonly Stretch[] {
    const kept = this.days.get(day);
    if (kept !== undefined) return kept;
    const start = day * DAY;
    const end = start + DAY;
    const offset = this.offset(start);
    const found: Stretch[] = [{ start, end, offset }];
    if (this.offset(end - SECOND) !== offset) {
      const change = this.firstWithout(offset, start, end - SECOND);
      found.splice(0, 1, { start, end: change, offset }, { start: change, end, offset: this.offset(change) });
    }
    if (this.days.size >= DAYS_KEPT) this.days.clear();
    this.days.set(day, found);
    return found;
  }

  /** The first second with another offset than `from` has, given that `to` has another one. */
  private firstWithout(offset: number, from: number, to: number): number {
    let last = from;
    let next = to;
    while (next - last > SECOND) {
      const middle = last + Math.floor((next - last) / 2 / SECOND) * SECOND;
      if (this.offset(middle) === offset) last = middle;
      else next = middle;
    }
    return next;
  }

  private offset(instant: number): number {
    const [, sign, hours, minutes, seconds = '0'] =
      /GMT([+-])(\d+):(\d+)(?::(\d+))?$/.exec(this.format.format(instant)) ?? [];
    if (sign === undefined) return 0;
    const offset = Number(hours) * HOUR + Number(minutes) * 60_000 + Number(seconds) * SECOND;
    return sign === '-' ? -offset : offset;
  }
}

const zones = new Map<string, Zone>();

/**
 * The zone of an IANA name, kept from the first call on.
 *
 * @throws InvalidOptionsError for a name that nobody knows, with the nearest one
 */
export function zoneOf(name: string, where: string): Zone {
  expectThat(isText(name), where, name, `an IANA name, such as 'Europe/Paris'`);
  const key = name.toLowerCase();
  const known = zones.get(key);
  if (known !== undefined) return known;
  try {
    const zone = new Zone(name);
    zones.set(key, zone);
    return zone;
  } catch {
    throw new InvalidOptionsError(`${where} is '${name}', which is no time zone. ${suggestZone(name)}`);
  }
}

function suggestZone(name: string): string {
  const advice = suggest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
  return advice.startsWith('Known') ? `Give an IANA name, such as 'UTC' or 'Europe/Paris'.` : advice;
}
