import type { JobError } from './job.js';

/** What happens to jobs and schedules. */
export type TaskEventName = 'skipped' | 'caughtUp';

/** Something that happened in this process. */
export interface TaskEvent<R = unknown> {
  name: TaskEventName;
  /** Absent for a tick that made no job. */
  jobId?: string;
  task: string;
  queue: string;
  at: Date;
  attempt?: number;
  result?: R;
  error?: JobError;
  /** Milliseconds. */
  duration?: number;
  schedule?: string;
  tick?: Date;
}
