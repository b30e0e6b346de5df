import { InvalidOptionsError, InvalidPayloadError } from '../contracts/errors.js';
import { encodePayload } from '../contracts/payload.js';
import { TaskSignature } from '../contracts/signature.js';

/**
 * Answers the signature that a caller was to give.
 *
 * @throws InvalidOptionsError saying what was given and what to give
 */
export function expectSignature(value: unknown, where: string): TaskSignature<unknown> {
  if (value instanceof TaskSignature) return value;
  throw new InvalidOptionsError(
    `${where} takes a call of a task, such as task(MailTasks).sendEmail(mail). ${remedy(value)}`,
  );
}

/**
 * Writes the arguments of a call as a JSON list.
 *
 * @param maxPayload in bytes
 * @throws InvalidPayloadError with paths such as `arguments[0].at`, or where it would be too large
 */
export function encodeArguments(args: readonly unknown[], task: string, maxPayload: number): string {
  const json = encodePayload(args, `Arguments of ${task}`, 'arguments');
  // A character has at most 3 bytes in UTF-8, so that most texts need not be measured.
  if (json.length * 3 <= maxPayload) return json;
  const bytes = Buffer.byteLength(json);
  if (bytes > maxPayload) throw tooLarge(args, task, bytes, maxPayload);
  return json;
}

function tooLarge(args: readonly unknown[], task: string, bytes: number, maxPayload: number): InvalidPayloadError {
  const sizes = args.map((argument) => Buffer.byteLength(JSON.stringify(argument) ?? ''));
  const largest = sizes.indexOf(Math.max(...sizes));
  const message =
    `The arguments of ${task} have ${bytes.toLocaleString('en')} bytes as JSON, most of them in argument ${largest + 1}, ` +
    `where maxPayload allows ${maxPayload.toLocaleString('en')}. Store the data where the task can read it, and send its ` +
    `name; or raise maxPayload in TasksModule.forRoot().`;
  return new InvalidPayloadError(message, [{ path: `arguments[${largest}]`, message: `${sizes[largest]} bytes` }]);
}

function remedy(value: unknown): string {
  if (typeof value === 'function') {
    return 'taskName' in value
      ? `It got the task ${String(value.taskName)} itself. Call it with its arguments.`
      : 'It got a function. Put @Task() on a method of a provider and call it through task(Class).';
  }
  if (value instanceof Promise || typeof (value as { then?: unknown } | null)?.then === 'function') {
    return 'It got a promise: the method itself was called, or an async function answered the call. Call task(Class).method(…).';
  }
  if (typeof value === 'string') {
    return `It got the text '${value}'. A task of another application is called by a contract: task<[…], …>('${value}')(…).`;
  }
  return `It got ${value === null ? 'null' : Array.isArray(value) ? 'a list; that is for enqueueMany()' : `a value of type ${typeof value}`}.`;
}
