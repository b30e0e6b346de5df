import type { JobObserver, Settlement } from '../contracts/engine.js';

/** One call of `Engine.watch`, also where an observer watches twice. */
export interface Watch {
  readonly observer: JobObserver;
}

/** An observer's error is its own: it must not touch the job or the other observers. */
export function tell(step: () => void): void {
  try {
    step();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/** Settles a watch after the caller has got the function that ends it. */
export function settleSoon(observer: JobObserver, settlement: Settlement): () => void {
  let isWatching = true;
  queueMicrotask(() => {
    if (isWatching) tell(() => observer.settled(settlement));
  });
  return () => {
    isWatching = false;
  };
}
