/** What `cancel.lua` publishes of a job that was running. */
interface CancelNotice {
  jobId: string;
  /** Of the run that is cancelled: a later run of the same job has another one. */
  lock: string;
}

/** Undefined for a job that was not running, and for what is no such notice: anyone may publish on a channel. */
export function readCancelNotice(message: string): CancelNotice | undefined {
  try {
    const { jobId, lock } = JSON.parse(message) as Partial<CancelNotice>;
    return typeof jobId === 'string' && typeof lock === 'string' ? { jobId, lock } : undefined;
  } catch {
    return undefined;
  }
}
