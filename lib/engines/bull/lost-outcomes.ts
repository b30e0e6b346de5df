import { Logger } from '@nestjs/common';

/** Waits before the next line, in ms: an outage costs many jobs their outcome, one after another as their runs end. */
const WAITS = [500, 10_000, 60_000];

/** Jobs that a line names; the rest are counted. */
const NAMED = 5;

/** Tells of runs whose outcome was dropped since their lock was lost: many in one line, and few lines in all. */
export class LostOutcomes {
  private ids: string[] = [];
  private count = 0;
  private step = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly logger = new Logger('BullEngine')) {}

  note(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.count += ids.length;
    if (this.ids.length < NAMED) this.ids.push(...ids.slice(0, NAMED - this.ids.length));
    this.timer ??= setTimeout(() => this.next(), WAITS[this.step]).unref();
  }

  /** Tells what is left to tell. */
  close(): void {
    clearTimeout(this.timer);
    this.tell();
  }

  private next(): void {
    this.timer = undefined;
    if (this.count === 0) {
      this.step = 0;
      return;
    }
    this.tell();
    this.step = Math.min(this.step + 1, WAITS.length - 1);
    // Also when nothing comes, so that a long silence begins anew.
    this.timer = setTimeout(() => this.next(), WAITS[this.step]).unref();
  }

  private tell(): void {
    const { ids, count } = this;
    if (count === 0) return;
    this.ids = [];
    this.count = 0;
    const more = count > ids.length ? ` and ${count - ids.length} more` : '';
    this.logger.warn(
      `What the runs of job(s) ${ids.join(', ')}${more} answered is dropped: their locks were lost, so that each was ` +
        'given to another worker, or is gone from Redis.',
    );
  }
}
