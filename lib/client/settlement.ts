import type { Engine, Settlement } from '../contracts/engine.js';
import { ResultTimeoutError } from '../contracts/errors.js';
import type { JobAddress } from '../contracts/job.js';

/** The longest wait that a timer of Node can hold; more would end at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Waits for the end of a job. Leaves no watch, timer or listener behind, however it ends.
 *
 * @param timeout in milliseconds; absent: as long as it takes
 * @throws ResultTimeoutError, or the signal's reason
 */
export function settlementOf(
  engine: Engine,
  job: JobAddress,
  { timeout, signal }: { timeout?: number; signal?: AbortSignal },
): Promise<Settlement> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    let unwatch: (() => void) | undefined;
    const finish = () => {
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      unwatch?.();
    };
    const abort = () => {
      finish();
      reject(signal?.reason as Error);
    };
    unwatch = engine.watch(job, {
      settled: (settlement) => {
        finish();
        resolve(settlement);
      },
    });
    // The engine may have answered before it returned.
    if (isOver) {
      unwatch();
      return;
    }
    signal?.addEventListener('abort', abort);
    if (timeout === undefined) return;
    timer = setTimeout(
      () => {
        finish();
        reject(new ResultTimeoutError(`Job ${job.id} did not end within ${timeout} ms. It goes on; ask again later.`));
      },
      Math.min(timeout, LONGEST_TIMER),
    );
  });
}
