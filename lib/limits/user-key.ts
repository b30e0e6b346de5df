import { isText } from '../contracts/checks.js';
import { InvalidOptionsError } from '../contracts/errors.js';

/**
 * What a user's key function makes of a call.
 *
 * @param option of the task, for messages, e.g. `unique.key`
 * @throws InvalidOptionsError where it throws, or answers anything but a text that is not empty
 */
export function userKey(
  key: (...args: never[]) => unknown,
  args: readonly unknown[],
  task: string,
  option: string,
): string {
  let answer: unknown;
  try {
    answer = key(...(args as never[]));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidOptionsError(
      `${option} of task ${task} threw for this call: ${reason}. ` +
        'Make it answer a text for all arguments that the task may get.',
      { cause },
    );
  }
  if (isText(answer)) return answer;
  throw new InvalidOptionsError(
    `${option} of task ${task} answered ${kindOf(answer)} for this call. ` +
      'Make it answer a text that is not empty, such as String(order.id).',
  );
}

/** Without the value, which may be one of the arguments: these are not for logs. */
function kindOf(answer: unknown): string {
  if (answer === null || answer === undefined) return String(answer);
  if (answer instanceof Promise) return 'a promise';
  return answer === '' ? 'an empty text' : `a value of type ${typeof answer}`;
}
