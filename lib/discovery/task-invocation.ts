import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
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

/** A provider's token that is a class. */
// eslint-disable-next-line typescript/no-unsafe-function-type -- Nest's own type for a token of an abstract class
export type ClassToken = Function;
