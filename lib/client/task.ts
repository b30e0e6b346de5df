import type { StandardSchemaV1 } from '@standard-schema/spec';
import { validateEnqueueOptions } from '../contracts/call-options.js';
import { expectThat, isRecord, show } from '../contracts/checks.js';
import { InvalidOptionsError, UnknownTaskError } from '../contracts/errors.js';
import { checkSchema } from '../contracts/schema.js';
import { TaskSignature, type TaskRef, type TaskRefs } from '../contracts/signature.js';
import type { EnqueueOptions } from '../contracts/task.js';
import { suggest } from '../contracts/suggestion.js';
import type { CallOptions } from '../contracts/task.js';
import {
  decoratedMethod,
  decoratedMethods,
  methodNames,
  taskNameOf,
  type ClassRef,
} from '../decorators/decorated-method.js';
import type { TaskContract } from '../decorators/metadata.js';
import { argumentsToSend } from '../decorators/parameters.js';

/** Options of a contract: the caller's defaults, and what the first argument has to be. */
export type ContractOptions = CallOptions & {
  /** Any Standard Schema of the first argument, for who calls and who carries out. Absent: no check. */
  schema?: StandardSchemaV1;
};

type AnyRef = TaskRef<unknown[], unknown>;

const NO_OPTIONS: Readonly<EnqueueOptions> = Object.freeze({});
/** Nothing of Object's own, so that a name from outside finds tasks only; a message can name it all the same. */
const NOTHING_BUT_TEXT: object = Object.assign(Object.create(null) as object, {
  [Symbol.toPrimitive]: () => '[object Object]',
});
const refsByClass = new WeakMap<object, object>();

/**
 * Answers the tasks of a class as functions that make signatures; nothing is sent until `TaskQueue.enqueue()`.
 *
 * Arguments beyond the method's parameters are dropped, so that `items.map(task(MailTasks).archive)` is safe.
 *
 * @example
 * ```ts
 * await queue.enqueue(task(MailTasks).sendEmail({ to: 'ada@example.org', subject: 'Welcome!' }));
 * ```
 * @throws UnknownTaskError when a method without `@Task()` is read
 */
export function task<T>(provider: ClassRef<T>): TaskRefs<T>;
/**
 * Makes a contract: a task by its name, which may live in another code base and is never refused as unknown.
 * The options are defaults for its calls.
 *
 * @example
 * ```ts
 * export const sendEmail = task<[mail: Mail], Receipt>('mail.send', { queue: 'mail' });
 * ```
 * @throws InvalidOptionsError naming the option, the cause and the fix
 */
export function task<A extends unknown[], R>(name: string, options?: ContractOptions): TaskRef<A, R>;
export function task(of: ClassRef | string, options: ContractOptions = NO_OPTIONS): unknown {
  if (typeof of === 'string') return createContract(of, options);
  if (typeof of !== 'function' || typeof of.prototype !== 'object') {
    throw new InvalidOptionsError(
      `task() takes a class or a task's name, not ${show(of)}. ` +
        'A class that is undefined here is often part of an import circle: call task() later, inside of a function.',
    );
  }
  let refs = refsByClass.get(of);
  if (!refs) refsByClass.set(of, (refs = createRefs(of)));
  return refs;
}

function createContract(name: string, options: ContractOptions): TaskContract<unknown[], unknown> {
  const where = `task('${name}')`;
  if (name === '') throw new InvalidOptionsError(`${where} has no name. Give the task's name, such as 'mail.send'.`);
  expectThat(isRecord(options), `The second argument of ${where}`, options, `an object such as { queue: 'mail' }`);
  const { schema, ...callOptions } = options;
  if (schema !== undefined) checkSchema(schema, `${where}: schema`);
  validateEnqueueOptions(callOptions, where);
  for (const option of ['at', 'jobId']) {
    if (option in options) {
      throw new InvalidOptionsError(
        `${where} has '${option}', which belongs to one call. Give it to enqueue() or with().`,
      );
    }
  }
  const defaults: Readonly<EnqueueOptions> = Object.freeze(callOptions);
  const everything = { count: Infinity, rest: true };
  return Object.assign(
    (...args: unknown[]) => new TaskSignature(name, argumentsToSend(args, everything), defaults, true, schema),
    { taskName: name, options: defaults, schema },
  );
}

/** One getter per method, evaluated when read: a static field may call `task()` before the decorators have run. */
function createRefs(provider: ClassRef): object {
  const refs = Object.create(NOTHING_BUT_TEXT) as object;
  for (const method of methodNames(provider.prototype as object)) {
    // Promises and JSON would call these, whatever they mean in the class.
    if (method === 'then' || method === 'toJSON') continue;
    let ref: AnyRef | undefined;
    Object.defineProperty(refs, method, { get: () => (ref ??= createRef(provider, method)) });
  }
  return Object.freeze(refs);
}

function createRef(provider: ClassRef, name: string): AnyRef {
  const prototype = provider.prototype as object;
  const method = decoratedMethod(prototype, name);
  if (!method) {
    const known = decoratedMethods(prototype).map((one) => one.name);
    throw new UnknownTaskError(
      `${provider.name}.${name} is no task. Put @Task() on the method. ${suggest(name, known)}`,
    );
  }
  const taskName = taskNameOf(provider, method);
  const { parameters } = method;
  return Object.assign(
    (...args: unknown[]) => new TaskSignature(taskName, argumentsToSend(args, parameters), NO_OPTIONS, false),
    { taskName },
  );
}
