import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
import type { Redact } from '../contracts/redaction.js';
import { fitArguments, RefusedArguments, type Fit } from '../contracts/schema.js';
import { argumentsToPass, type MethodParameters } from '../decorators/parameters.js';
import type { TaskDefinition } from './task-definition.js';

type Provider = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** Calls the method on the one instance that the application has. */
export function invokeOnInstance(
  instance: object,
  method: string,
  parameters: MethodParameters,
): TaskDefinition['invoke'] {
  const provider = instance as Provider;
  return (args, context) => provider[method](...argumentsToPass(args, parameters, context));
}

/** Makes the provider for each run, with all that depends on the request; `REQUEST` is the run's context. */
export function invokePerRun(
  moduleRef: ModuleRef,
  token: string | symbol | ClassToken,
  method: string,
  parameters: MethodParameters,
): TaskDefinition['invoke'] {
  return async (args, context) => {
    const contextId = ContextIdFactory.create();
    moduleRef.registerRequestByContextId(context, contextId);
    const provider = await moduleRef.resolve<Provider>(token, contextId, { strict: false });
    return provider[method](...argumentsToPass(args, parameters, context));
  };
}

/** Puts the first argument through a schema before each call: the run begins with it, and its timeout holds for it. */
export function invokeFitting(
  invoke: TaskDefinition['invoke'],
  schema: StandardSchemaV1,
  task: string,
  redact: Redact | undefined,
): TaskDefinition['invoke'] {
  return (args, context) => {
    const fit = fitArguments(schema, args, task, redact);
    return fit instanceof Promise
      ? fit.then((fitted) => invoke(argumentsOf(fitted), context))
      : invoke(argumentsOf(fit), context);
  };
}

function argumentsOf(fit: Fit): readonly unknown[] {
  if ('refusal' in fit) throw new RefusedArguments(fit.refusal);
  return fit.args;
}

/** A provider's token that is a class. */
// eslint-disable-next-line typescript/no-unsafe-function-type -- Nest's own type for a token of an abstract class
export type ClassToken = Function;
