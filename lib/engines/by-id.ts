/**
 * A map for things that come and go by the thousand.
 *
 * When V8 makes a new table for a `Map`, the old one goes on pointing to it. Once one of them is old enough to be left to
 * the rare full collections, each table keeps the next with all that stood in it: a quarter of all garbage outlived its
 * first collection. Numbers cost nothing there, so that the map holds places of a list, and the list what is looked for.
 */
export class ById<Item> {
  private readonly places = new Map<string, number>();
  private readonly items: (Item | undefined)[] = [];
  private readonly free: number[] = [];

  get size(): number {
    return this.places.size;
  }

  has(id: string): boolean {
    return this.places.has(id);
  }

  get(id: string): Item | undefined {
    const place = this.places.get(id);
    return place === undefined ? undefined : this.items[place];
  }

  /** Puts an item in the place of another with this id, if there is one. */
  set(id: string, item: Item): void {
    const known = this.places.get(id);
    const place = known ?? this.free.pop() ?? this.items.length;
    this.items[place] = item;
    if (known === undefined) this.places.set(id, place);
  }

  /** Harmless where there is none. */
  delete(id: string): void {
    const place = this.places.get(id);
    if (place === undefined) return;
    this.places.delete(id);
    this.items[place] = undefined;
    this.free.push(place);
  }

  /** In the order in which their ids came. */
  *values(): Generator<Item> {
    for (const place of this.places.values()) yield this.items[place] as Item;
  }
}
