import { REMOVED_KEPT, type ScheduleChanges } from '../../contracts/engine-schedules.js';

interface StoredDefinition {
  name: string;
  version: number;
  definition: string;
}

/** The definitions of one queue's schedules that were set at run time, with the version of each. */
export class StoredDefinitions {
  /** In the order of their versions. */
  private readonly stored = new Map<string, StoredDefinition>();
  /** Versions by name, in their order. */
  private readonly removed = new Map<string, number>();
  private readonly followers = new Set<() => void>();
  private version = 0;

  /** False when nothing changed. */
  set(name: string, definition: string | undefined): boolean {
    if (this.stored.get(name)?.definition === definition) return false;
    this.version++;
    this.stored.delete(name);
    this.removed.delete(name);
    if (definition === undefined) this.remember(name);
    else this.stored.set(name, { name, version: this.version, definition });
    for (const changed of this.followers) queueMicrotask(changed);
    return true;
  }

  versionOf(name: string): number | undefined {
    return this.stored.get(name)?.version;
  }

  definitionOf(name: string): string | undefined {
    return this.stored.get(name)?.definition;
  }

  changes(since: number, most: number): Omit<ScheduleChanges, 'now'> {
    const { version } = this;
    const nothing = { version, hasMore: false, isReset: false, set: [], removed: [] };
    if (since >= version) return nothing;
    const removed = since === 0 ? [] : [...this.removed].filter(([, at]) => at > since).map(([name]) => name);
    if (removed.length >= REMOVED_KEPT) return { ...nothing, version: 0, isReset: true };
    const changed = [...this.stored.values()].filter((one) => one.version > since);
    const set = changed.slice(0, most);
    const hasMore = changed.length > most;
    return { version: hasMore ? set[most - 1].version : version, hasMore, isReset: false, set, removed };
  }

  follow(changed: () => void): () => void {
    this.followers.add(changed);
    return () => void this.followers.delete(changed);
  }

  private remember(name: string): void {
    this.removed.set(name, this.version);
    const [oldest] = this.removed.keys();
    if (this.removed.size > REMOVED_KEPT) this.removed.delete(oldest);
  }
}
