import { Observable } from 'rxjs';
import type { Engine, Settlement } from '../contracts/engine.js';
import type { JobAddress } from '../contracts/job.js';
import { readJson } from '../contracts/job-view.js';

/** A job's progress from now on, the value it has now included. Completes with the job, however it ends. */
export function progressOf(engine: Engine, job: JobAddress): Observable<unknown> {
  return new Observable((subscriber) => {
    let isPushed = false;
    /** The stored value, until its own message or a later one came. */
    let shown: string | undefined;
    let isReading = true;
    let end: Settlement | undefined;

    const finish = () => {
      if (!end) return;
      if (end.state === 'lost') subscriber.error(end.error);
      else if (!isReading) subscriber.complete();
    };
    const show = (stored: string | undefined) => {
      isReading = false;
      // A value that was pushed meanwhile is as new as the stored one, or newer.
      if (stored !== undefined && !isPushed) {
        shown = stored;
        subscriber.next(readJson(stored));
      }
      finish();
    };

    const unwatch = engine.watch(job, {
      progress: (value) => {
        // Read before its message came, the stored value is pushed once more.
        const isShown = value === shown;
        isPushed = true;
        shown = undefined;
        if (!isShown) subscriber.next(readJson(value));
      },
      settled: (settlement) => {
        end = settlement;
        finish();
      },
    });
    engine.find([job]).then(
      ([record]) => show(record?.progress),
      () => show(undefined),
    );
    return unwatch;
  });
}
