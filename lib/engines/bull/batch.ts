/** Collects what is asked for in one turn of the event loop, and hands it on in one go. */
export class Batch<Item> {
  private items: Item[] = [];

  constructor(private readonly flush: (items: Item[]) => void) {}

  add(item: Item): void {
    if (this.items.push(item) === 1) setImmediate(this.send);
  }

  private readonly send = (): void => {
    const { items } = this;
    this.items = [];
    this.flush(items);
  };
}
