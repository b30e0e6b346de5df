import { getQueueToken } from '@nestjs/bull-shared';
import { Logger, type DynamicModule, type FactoryProvider, type InjectionToken } from '@nestjs/common';
import type { Queue } from 'bull';
import type { Engine } from '../../contracts/engine.js';
import { InvalidOptionsError } from '../../contracts/errors.js';

/** Listening is harmless without Bull, so that an app with @nestjs/bull listeners boots on any engine. */
const LISTENING = new Set(['on', 'once', 'off', 'addListener', 'removeListener']);

/**
 * Providers under @nestjs/bull's tokens, for `@InjectQueue(name)` and its listeners. On another engine than Bull's,
 * what is injected says so when it is used.
 */
export function createQueueProviders(names: Iterable<string>, engineToken: InjectionToken): FactoryProvider[] {
  return [...names].map((name) => ({
    provide: getQueueToken(name),
    inject: [engineToken],
    useFactory: (engine: Engine) => (hasBullQueues(engine) ? engine.bullQueue(name) : createStandIn(name, engine)),
  }));
}

/** The module whose explorer registers `@OnQueue…` listeners. Loaded only where Bull is used: it costs 100 ms. */
export async function loadListenerModule(): Promise<DynamicModule> {
  const { BullModule } = await import('@nestjs/bull');
  return BullModule.registerQueue();
}

function hasBullQueues(engine: Engine): engine is Engine & { bullQueue(name: string): Queue } {
  return 'bullQueue' in engine;
}

function createStandIn(name: string, engine: Engine): object {
  const refuse = (): never => {
    throw new InvalidOptionsError(
      engine.name === 'relay'
        ? `The Bull queue '${name}' is not there in a worker thread. Use TaskQueue and TaskAdmin, which work in it as well.`
        : `The Bull queue '${name}' is not there: the embedded engine runs without Redis. ` +
            `Set redis in TasksModule.forRoot(), or enqueue through TaskQueue, which works on both.`,
    );
  };
  let hasWarned = false;
  const listen = (): object => {
    if (!hasWarned && engine.name !== 'relay') {
      new Logger('TasksModule').warn(`Listeners of the Bull queue '${name}' hear nothing: no redis is set.`);
    }
    hasWarned = true;
    return standIn;
  };
  const standIn: object = new Proxy(
    { name },
    {
      get: (target, property) => {
        if (typeof property === 'symbol' || property in target) return Reflect.get(target, property) as unknown;
        if (LISTENING.has(property)) return listen;
        // Nest asks every provider whether it is a promise or has a lifecycle hook.
        return property === 'then' || /^(on|before)[A-Z]/.test(property) ? undefined : refuse;
      },
    },
  );
  return standIn;
}
