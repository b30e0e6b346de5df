/** Collects what is asked for in one turn of the event loop, and hands it on in one go. */
export class Batch<Item> {
  private items: Item[] = [];

  constructor(private readonly flush: (items: Item[]) => void) {}

  add(item: Item): void {
    // After the promises that are ready now, and before anything else: whoever goes on with them is still in time.
    if (this.items.push(item) === 1) process.nextTick(this.send);
  }

  private readonly send = (): void => {
    const { items } = this;
    this.items = [];
    this.flush(items);
  };
}
