import { Subject, type Observable } from 'rxjs';
import type { TaskEvent } from '../contracts/events.js';

/** What happens to jobs and schedules. */
export class TaskEvents {
  /** Of this process. */
  readonly local$: Observable<TaskEvent>;
  readonly #events = new Subject<TaskEvent>();

  constructor() {
    this.local$ = this.#events.asObservable();
  }

  /** @internal */
  emit(event: TaskEvent): void {
    if (this.#events.observed) this.#events.next(event);
  }
}
