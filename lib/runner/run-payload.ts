import { isEncoded, missingCodec } from '../contracts/codec.js';
import type { ActiveJob } from '../contracts/engine.js';
import { InvalidPayloadError, InvalidResultError } from '../contracts/errors.js';
import { toJobError } from './failure.js';

/**
 * Most characters of a result: it is sent to every process that waits for results, and Redis drops those that do not
 * keep up (`client-output-buffer-limit pubsub`, 32 MB at most by default).
 */
const LARGEST_RESULT = 8 * 1_024 * 1_024;

/**
 * Reads a job's arguments.
 *
 * @throws InvalidPayloadError when they are not a list in JSON, PayloadCodecError when they are encoded still
 */
export function decodeArguments(job: ActiveJob): readonly unknown[] {
  let args: unknown;
  try {
    args = JSON.parse(job.args);
  } catch {
    // What the parser says quotes the text.
    throw unreadable(job, 'they are no JSON');
  }
  if (isEncoded(job.args)) throw missingCodec(`the arguments of job ${job.id} of task ${job.task}`);
  if (!Array.isArray(args)) throw unreadable(job, 'they are JSON, but no list');
  return args;
}

/**
 * Writes what a task returned as JSON; undefined where JSON has nothing to write.
 *
 * @throws InvalidResultError when it cannot be written
 */
export function encodeResult(value: unknown, job: ActiveJob): string | undefined {
  if (value === undefined) return undefined;
  let result: string | undefined;
  try {
    result = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidResultError(
      `What task ${job.task} returned in job ${job.id} cannot be written as JSON: ` +
        `${textOf(cause)}. Return plain data: String(value) for a BigInt, an id for an object that contains itself.`,
      { cause },
    );
  }
  if (result !== undefined && result.length > LARGEST_RESULT) {
    throw new InvalidResultError(
      `What task ${job.task} returned in job ${job.id} has ${result.length} characters as JSON, which is more than ` +
        `${LARGEST_RESULT}. Store it elsewhere and return where it is, such as the name of a file.`,
    );
  }
  return result;
}

/** V8 draws a circle over several lines. */
function textOf(error: unknown): string {
  return toJobError(error).message.replace(/\s*\n\s*/g, ' ');
}

function unreadable(job: ActiveJob, cause: string): InvalidPayloadError {
  const message =
    `The arguments of job ${job.id} of task ${job.task} cannot be read: ${cause}. ` +
    `Enqueue it again with TaskQueue.enqueue(), which stores a JSON list.`;
  return new InvalidPayloadError(message, [{ path: '', message: cause }]);
}
