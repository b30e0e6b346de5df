import type { Slot } from '../contracts/engine.js';

/** One run's place among a worker's `concurrency`, from `Slots.take()` to `release()`. */
export interface TakenSlot extends Slot {
  /** Gives the place back for good, lent or not. A second call is harmless. */
  release(): void;
}

/**
 * The places of one worker. A place that becomes free goes to a run that wants its lent place back,
 * and only then to a new job.
 */
export class Slots {
  private available: number;
  private readonly returning = new Set<Place>();

  /**
   * @param size the worker's `concurrency`, at least 1
   * @param onFree called each time that a place has become free for a new job; it may call `take()`
   */
  constructor(
    readonly size: number,
    private readonly onFree: () => void,
  ) {
    this.available = size;
  }

  /** Places that a new job may take. */
  get free(): number {
    return this.available;
  }

  /**
   * Takes a place for a new job.
   *
   * @throws RangeError when none is free
   */
  take(): TakenSlot {
    if (this.available === 0) throw new RangeError(`All ${this.size} places of this worker are taken.`);
    this.available--;
    return new Place(this);
  }

  /** @internal */
  give(): void {
    const [next] = this.returning;
    if (next) {
      this.returning.delete(next);
      next.arrive();
      return;
    }
    this.available++;
    this.onFree();
  }

  /** @internal True when the place is there at once; else `arrive()` is called later. */
  takeBack(place: Place): boolean {
    if (this.available > 0) {
      this.available--;
      return true;
    }
    this.returning.add(place);
    return false;
  }

  /** @internal */
  stopWaiting(place: Place): void {
    this.returning.delete(place);
  }
}

/**
 * A run may wait for several jobs at once, so that it lends its place several times over. The place is away as long as
 * any of these waits goes on: taken back earlier, it would be missing for the job that the run still waits for.
 */
class Place implements TakenSlot {
  private state: 'held' | 'lent' | 'released' = 'held';
  private lends = 0;
  private goOn: (() => void) | undefined;

  constructor(private readonly slots: Slots) {}

  lend(): () => Promise<void> {
    this.lends++;
    if (this.state === 'held') {
      this.state = 'lent';
      this.slots.give();
    } else {
      this.letGoOn();
    }
    let returned: Promise<void> | undefined;
    return () => (returned ??= this.takeBack());
  }

  release(): void {
    const wasHeld = this.state === 'held';
    this.state = 'released';
    if (wasHeld) this.slots.give();
    else this.letGoOn();
  }

  arrive(): void {
    this.state = 'held';
    this.goOn?.();
    this.goOn = undefined;
  }

  private async takeBack(): Promise<void> {
    this.lends--;
    if (this.lends > 0 || this.state !== 'lent') return;
    if (this.slots.takeBack(this)) {
      this.state = 'held';
      return;
    }
    await new Promise<void>((resolve) => (this.goOn = resolve));
  }

  /** Ends the wait for a place that is no longer wanted. */
  private letGoOn(): void {
    if (!this.goOn) return;
    this.slots.stopWaiting(this);
    this.goOn();
    this.goOn = undefined;
  }
}
