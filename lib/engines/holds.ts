/** Who keeps a worker from taking jobs: each by itself, for as long as it wants. */
export class Holds {
  private count = 0;

  /** @param onFree called when the last hold has ended */
  constructor(private readonly onFree: () => void) {}

  get isHeld(): boolean {
    return this.count > 0;
  }

  /** Answers the function that ends the hold; a second call of it is harmless. */
  add(): () => void {
    this.count++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.count === 0) this.onFree();
    };
  }
}
