import { isEncoded, missingCodec } from '../contracts/codec.js';
import type { ActiveJob } from '../contracts/engine.js';
import { InvalidPayloadError, InvalidResultError } from '../contracts/errors.js';

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
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new InvalidResultError(
      `What task ${job.task} returned in job ${job.id} cannot be written as JSON: ` +
        `${textOf(cause)}. Return plain data: String(value) for a BigInt, an id for an object that contains itself.`,
      { cause },
    );
  }
}

/** V8 draws a circle over several lines. */
function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
}

function unreadable(job: ActiveJob, cause: string): InvalidPayloadError {
  const message =
    `The arguments of job ${job.id} of task ${job.task} cannot be read: ${cause}. ` +
    `Enqueue it again with TaskQueue.enqueue(), which stores a JSON list.`;
  return new InvalidPayloadError(message, [{ path: '', message: cause }]);
}
