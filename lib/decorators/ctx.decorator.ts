import { recordContext } from './metadata.js';

/**
 * Marks the parameter that receives the run's `TaskContext`. It has to be the last one and is not part of the call.
 *
 * @example
 * ```ts
 * @Task()
 * async resize(file: string, @Ctx() context: TaskContext) {}
 * ```
 */
export function Ctx(): ParameterDecorator {
  return (target, method, index) => {
    // Absent on a constructor, which is no task and has no context.
    if (method !== undefined) recordContext(target, method, index);
  };
}
