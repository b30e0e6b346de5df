import { expectThat } from '../contracts/checks.js';
import { UnknownQueueError } from '../contracts/errors.js';
import type { TasksSettings } from '../contracts/settings.js';
import { suggest } from '../contracts/suggestion.js';

/**
 * Answers the name of a queue that is declared.
 *
 * @throws UnknownQueueError with the nearest name
 */
export function declaredQueue(settings: Pick<TasksSettings, 'queues'>, queue: string, where: string): string {
  expectThat(typeof queue === 'string', `The queue of ${where}`, queue, 'the name of a declared queue');
  if (settings.queues.has(queue)) return queue;
  throw new UnknownQueueError(
    `The queue '${queue}' of ${where} is not declared. ${suggest(queue, [...settings.queues.keys()])} ` +
      'Queues are declared in TasksModule.forRoot({ queues }).',
  );
}

/** The queues that a call is about: the named one, or every declared one. */
export function queuesOf(
  settings: Pick<TasksSettings, 'queues'>,
  queue: string | undefined,
  where: string,
): readonly string[] {
  return queue === undefined ? [...settings.queues.keys()] : [declaredQueue(settings, queue, where)];
}
