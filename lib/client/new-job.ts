import { customAlphabet } from 'nanoid';
import { mergeCallOptions, toJobOptions } from '../contracts/call-options.js';
import { toMilliseconds } from '../contracts/duration.js';
import type { NewJob } from '../contracts/engine.js';
import { UnknownTaskError } from '../contracts/errors.js';
import { fitArguments, type Fit } from '../contracts/schema.js';
import type { TasksSettings } from '../contracts/settings.js';
import type { TaskSignature } from '../contracts/signature.js';
import { suggest } from '../contracts/suggestion.js';
import type { EnqueueOptions } from '../contracts/task.js';
import type { TaskDefinition, TaskRegistry } from '../discovery/task-definition.js';
import { encodeArguments } from './call.js';
import { declaredQueue } from './declared-queue.js';
import { rulesOf, type RuledCall } from './job-rules.js';

/** Letters and digits only, 95 bits of them: an id goes into URLs, logs and command lines. */
const createJobId = customAlphabet('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 16);

/**
 * Makes the job of a call, from the options of task, contract, signature and call; the nearest to the call wins.
 *
 * @param options of the call, checked
 * @param now milliseconds since the epoch
 * @returns a promise only where the task has a schema that answers one
 * @throws InvalidOptionsError, InvalidPayloadError, UnknownTaskError, UnknownQueueError
 */
export function newJob(
  signature: TaskSignature<unknown>,
  options: EnqueueOptions | undefined,
  registry: TaskRegistry,
  settings: TasksSettings,
  now: number,
): NewJob | Promise<NewJob> {
  const { task, args } = signature;
  const definition = registry.get(task);
  if (!definition && !signature.isContract) throw unknownTask(task, registry);
  let call = signature.options;
  if (definition?.contractOptions) call = mergeCallOptions(definition.contractOptions, call);
  if (options) call = mergeCallOptions(call, options);
  const jobOptions = toJobOptions(call);
  if (definition) jobOptions.attempts ??= definition.options.attempts ?? settings.defaults.attempts;
  const queue = call.queue ?? definition?.options.queue ?? 'default';
  const due = dueAt(call, definition, now);
  const job: NewJob = {
    id: call.jobId ?? createJobId(),
    queue: declaredQueue(settings, queue, `the call of ${task}`),
    task,
    args: encodeArguments(args, task, settings.maxPayload),
    options: jobOptions,
    rules: undefined,
    metadata: call.metadata,
    enqueuedAt: now,
    dueAt: due,
  };
  const ruled: RuledCall = { task, args, options: call, due: due ?? now };
  const schema = definition ? definition.schema : signature.schema;
  const checked = schema && expectFit(fitArguments(schema, args, task, settings.redact));
  // Rules come after the schema: key functions may count on arguments that fit.
  if (!checked) return withRules(job, ruled, definition, settings);
  const made = checked.then(() => withRules(job, ruled, definition, settings));
  // Another call of the same list may be refused before anybody waits for this one.
  made.catch(() => undefined);
  return made;
}

function withRules(
  job: NewJob,
  call: RuledCall,
  definition: TaskDefinition | undefined,
  { defaults }: TasksSettings,
): NewJob {
  job.rules = rulesOf(call, definition, defaults);
  return job;
}

/** Undefined where it is known at once that they fit. */
function expectFit(fit: Fit | Promise<Fit>): Promise<void> | undefined {
  if (fit instanceof Promise) return fit.then((settled) => void expectFit(settled));
  if ('refusal' in fit) throw fit.refusal;
  return undefined;
}

/** When the job may start; undefined: at once. */
function dueAt(call: EnqueueOptions, definition: TaskDefinition | undefined, now: number): number | undefined {
  const at = call.at?.getTime();
  if (at !== undefined) return at > now ? at : undefined;
  const delay = call.delay ?? definition?.options.delay;
  const milliseconds = delay === undefined ? 0 : toMilliseconds(delay, 'delay');
  return milliseconds > 0 ? now + milliseconds : undefined;
}

function unknownTask(task: string, registry: TaskRegistry): UnknownTaskError {
  return new UnknownTaskError(
    `The task '${task}' is not known in this application. ${suggest(task, registry.names())} Add its class to the ` +
      `providers of a module; a task of another application is called by a contract: task<[…], …>('${task}').`,
  );
}
