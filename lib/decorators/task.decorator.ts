import type { TaskRef } from '../contracts/signature.js';
import type { TaskContext } from '../contracts/task-context.js';
import type { TaskOptions } from '../contracts/task-options.js';
import { recordTask, type TaskContract } from './metadata.js';

/** A method that can carry out a contract's calls, with or without a trailing `TaskContext`. */
type FittingMethod<A extends unknown[], R> = (...args: [...A, TaskContext]) => R | Promise<R>;

/** Decorates a method that fits a contract. */
export type ContractDecorator<A extends unknown[], R> = <F extends FittingMethod<A, R>>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/** Decorates any method. */
export type TaskDecorator = <F extends (...args: never[]) => unknown>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/**
 * Makes a method of a provider or controller a task, to be called through `task(Class).method(…)`.
 *
 * Given a contract, the method implements it: it takes the contract's name and does not compile unless it fits.
 * Options are checked when the application starts.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class MailTasks {
 *   @Task({ queue: 'mail', attempts: 5, timeout: '30s' })
 *   async sendEmail(mail: Mail, @Ctx() context: TaskContext): Promise<Receipt> {
 *     return this.mailer.send(mail, { signal: context.signal });
 *   }
 * }
 * ```
 */
export function Task<A extends unknown[], R>(
  contract: TaskRef<A, R>,
  options?: Omit<TaskOptions, 'name'>,
): ContractDecorator<A, R>;
export function Task(options?: TaskOptions): TaskDecorator;
export function Task(
  first: TaskOptions | TaskContract<never[], unknown> = {},
  second: TaskOptions = {},
): TaskDecorator {
  const contract = typeof first === 'function' ? first : undefined;
  const options = typeof first === 'function' ? second : first;
  return (target, method, descriptor) =>
    recordTask(target, method, {
      name: contract?.taskName ?? options.name,
      options,
      contractOptions: contract?.options,
      contractSchema: contract?.schema,
      method: descriptor.value as object,
    });
}
