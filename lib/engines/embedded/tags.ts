/** Finds jobs by their tags. */
export class Tags<T extends { rules?: { readonly tags?: readonly string[] } }> {
  private readonly jobs = new Map<string, Set<T>>();

  add(job: T): void {
    for (const tag of job.rules?.tags ?? []) {
      const tagged = this.jobs.get(tag);
      if (tagged) tagged.add(job);
      else this.jobs.set(tag, new Set([job]));
    }
  }

  remove(job: T): void {
    for (const tag of job.rules?.tags ?? []) {
      const tagged = this.jobs.get(tag);
      tagged?.delete(job);
      if (tagged?.size === 0) this.jobs.delete(tag);
    }
  }

  of(tag: string): Iterable<T> {
    return this.jobs.get(tag) ?? [];
  }
}
