import type { EmbeddedJob } from './embedded-job.js';

/** The jobs that have replaced a running one, and start when that has ended. */
export class Successors {
  private readonly predecessors = new Map<EmbeddedJob, EmbeddedJob>();
  private readonly successors = new Map<EmbeddedJob, Set<EmbeddedJob>>();

  add(successor: EmbeddedJob, predecessor: EmbeddedJob): void {
    this.predecessors.set(successor, predecessor);
    const others = this.successors.get(predecessor);
    if (others) others.add(successor);
    else this.successors.set(predecessor, new Set([successor]));
  }

  /** The job that this one waits for. */
  predecessorOf(job: EmbeddedJob): EmbeddedJob | undefined {
    return this.predecessors.get(job);
  }

  /** Ends every wait of a job and for it. Answers the jobs that wait no longer. */
  leave(job: EmbeddedJob): Iterable<EmbeddedJob> {
    const predecessor = this.predecessors.get(job);
    if (predecessor) this.drop(job, predecessor);
    const successors = this.successors.get(job) ?? [];
    for (const successor of successors) this.predecessors.delete(successor);
    this.successors.delete(job);
    return successors;
  }

  private drop(successor: EmbeddedJob, predecessor: EmbeddedJob): void {
    this.predecessors.delete(successor);
    const others = this.successors.get(predecessor);
    others?.delete(successor);
    if (others?.size === 0) this.successors.delete(predecessor);
  }
}
