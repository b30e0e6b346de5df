/**
 * The contract of a tick, told a second time and in another way: a walk over real time, minute by minute, that looks at
 * the clock on the wall and knows no calendar, no offset and no parser.
 */
const MINUTE = 60_000;
const WARM_UP = 48 * 3_600_000;

/** Minutes that a cron lets through; absent fields let all through. */
export interface WalkedFields {
  minute?: readonly number[];
  hour?: readonly number[];
  day?: readonly number[];
  month?: readonly number[];
  weekday?: readonly number[];
}

export interface WalkedNight {
  start: number;
  end: number;
  /** Each minute with what the clock shows then, from a while before `start`. */
  minutes: readonly { instant: number; wall: number }[];
}

export function readClock(timeZone: string, start: number, end: number): WalkedNight {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const minutes: { instant: number; wall: number }[] = [];
  for (let instant = start - WARM_UP; instant <= end; instant += MINUTE) {
    const [day, month, year, hour, minute] = format.format(instant).split(/\D+/).map(Number);
    minutes.push({ instant, wall: Date.UTC(year, month - 1, day, hour, minute) });
  }
  return { start, end, minutes };
}

/** Every tick from `start` to `end`, both inclusive. */
export function walk(night: WalkedNight, fields: WalkedFields): number[] {
  const ticks: number[] = [];
  const isEveryHour = (fields.hour ?? []).length === 0 || new Set(fields.hour).size === 24;
  let latest = night.minutes[0].wall;
  for (const { instant, wall } of night.minutes) {
    let isDue = isEveryHour && fits(wall, fields);
    if (!isEveryHour) {
      for (let passed = latest + MINUTE; passed <= wall; passed += MINUTE) isDue ||= fits(passed, fields);
    }
    latest = Math.max(latest, wall);
    if (isDue && instant >= night.start) ticks.push(instant);
  }
  return ticks;
}

export function toCron({ minute, hour, day, month, weekday }: WalkedFields): string {
  return [minute, hour, day, month, weekday].map((values) => values?.join(',') ?? '*').join(' ');
}

function fits(wall: number, { minute, hour, day, month, weekday }: WalkedFields): boolean {
  const date = new Date(wall);
  const lets = (values: readonly number[] | undefined, value: number): boolean => values?.includes(value) ?? true;
  if (!lets(minute, date.getUTCMinutes()) || !lets(hour, date.getUTCHours())) return false;
  if (!lets(month, date.getUTCMonth() + 1)) return false;
  if (day !== undefined && weekday !== undefined) {
    return day.includes(date.getUTCDate()) || weekday.includes(date.getUTCDay());
  }
  return lets(day, date.getUTCDate()) && lets(weekday, date.getUTCDay());
}
