import 'reflect-metadata';
import { methodNames, type ClassRef } from '../decorators/decorated-method.js';

/** Where @nestjs/schedule's decorators record what they are; of its three kinds a timeout has nothing to do with ours. */
const KIND = 'SCHEDULER_TYPE';
const DECORATORS = [
  ['SCHEDULE_CRON_OPTIONS', 'Cron'],
  ['SCHEDULE_INTERVAL_OPTIONS', 'Interval'],
] as const;

/** A warning for each method that @nestjs/schedule runs in every process: often the wrong one of two imports. */
export function findSchedulesOfNest(provider: ClassRef): string[] {
  const prototype = provider.prototype as Record<string, object>;
  return methodNames(prototype).flatMap((name) => {
    const method = prototype[name];
    if (!Reflect.hasMetadata(KIND, method)) return [];
    return DECORATORS.filter(([key]) => Reflect.hasMetadata(key, method)).map(
      ([, decorator]) =>
        `${provider.name}.${name} carries @${decorator}() of @nestjs/schedule, which fires in every process. ` +
        `To run it once in the cluster, import ${decorator} from nestjs-tasks instead.`,
    );
  });
}
