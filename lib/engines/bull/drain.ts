/** Longest time to write outcomes after an abort, in ms; a task has a third of it to obey its signal. */
export const WRITE_WITHIN = 1_500;

/** Longest time for the end where nothing is left but a look for a job that the last read may have taken, in ms. */
export const LOOK_WITHIN = 500;

/** How a worker that stops comes to its end: once nothing is under way any more, or when it is given up. */
export class Drain {
  isGivenUp = false;
  private onEnd: (() => void) | undefined;

  constructor(private readonly isIdle: () => boolean) {}

  /** Resolves at the end. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.onEnd = resolve;
      this.check();
    });
  }

  /** Something has ended. */
  check(): void {
    if (this.onEnd && (this.isGivenUp || this.isIdle())) this.onEnd();
  }

  /** @param onGivenUp called where something is still under way after so many ms */
  giveUpAfter(milliseconds: number, onGivenUp: () => void = () => undefined): void {
    setTimeout(() => {
      if (this.isIdle()) return;
      this.isGivenUp = true;
      onGivenUp();
      this.check();
    }, milliseconds).unref();
  }
}
