import { MOST_ATTEMPTS } from '../../contracts/call-options.js';
import type { JobOptions, StoredBackoff } from '../../contracts/job.js';
import { isNumber, isRecord, readJson } from './stored-json.js';

/** What a job's `opts` say, and whether its `data` is a list of arguments. */
export interface StoredOptions {
  options: JobOptions;
  isSpread: boolean;
}

/** Jobs of one task mostly have the same options, so that their text is read once. */
const optionsRead = new Map<string, StoredOptions>();

export function readOptions(text: string | null | undefined): StoredOptions {
  const key = text ?? '';
  const known = optionsRead.get(key);
  if (known) return known;
  const stored = readJson<Record<string, unknown>>(key) ?? {};
  const isSpread = stored.spread === 1;
  const read = { options: isSpread ? readOwnOptions(stored) : readForeignOptions(stored), isSpread };
  if (optionsRead.size >= 1_000) optionsRead.clear();
  optionsRead.set(key, read);
  return read;
}

/** Whoever may write to Redis may have written them: what `enqueue` would refuse is left to the task. */
function readOwnOptions({ attempts, timeout, keepResult, backoff }: Readonly<Record<string, unknown>>): JobOptions {
  const options: JobOptions = {};
  if (isCount(attempts)) options.attempts = Math.min(attempts, MOST_ATTEMPTS);
  if (timeout === false || (isNumber(timeout) && timeout > 0)) options.timeout = timeout;
  if (isNumber(keepResult) && keepResult >= 0) options.keepResult = keepResult;
  if (isBackoff(backoff)) options.backoff = backoff;
  return options;
}

function isBackoff(value: unknown): value is StoredBackoff {
  if (!isRecord(value)) return false;
  const { type, delay, factor, max, jitter } = value;
  return (
    (type === 'fixed' || type === 'exponential') &&
    [delay, factor, max, jitter].every((number) => isNumber(number) && number >= 0) &&
    (factor as number) >= 1 &&
    (jitter as number) <= 1
  );
}

/** What a plain Bull producer set, in our words; anything that makes no sense is left to the task. */
function readForeignOptions(stored: Readonly<Record<string, unknown>>): JobOptions {
  const options: JobOptions = {};
  const { attempts, timeout, backoff } = stored;
  // Bull writes `attempts: 1` where its producer said nothing, so 1 is not taken for a wish.
  if (isCount(attempts) && attempts > 1) options.attempts = Math.min(attempts, MOST_ATTEMPTS);
  if (isNumber(timeout) && timeout > 0) options.timeout = timeout;
  const read = readForeignBackoff(backoff);
  if (read) options.backoff = read;
  if (stored.removeOnComplete === true) options.keepResult = 0;
  return options;
}

function readForeignBackoff(backoff: unknown): StoredBackoff | undefined {
  if (!isRecord(backoff)) return undefined;
  const { type, delay } = backoff;
  if (!isNumber(delay) || delay < 0 || (type !== 'fixed' && type !== 'exponential')) return undefined;
  return { type, delay, factor: 2, max: Number.MAX_SAFE_INTEGER, jitter: 0 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
