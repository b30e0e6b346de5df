// ── Module ──────────────────────────────────────────────────────────────────────────────────────
export { TasksModule } from './tasks.module.js';
export type {
  QueueOptions,
  RedisConnection,
  TasksModuleAsyncOptions,
  TasksModuleOptions,
  TasksModuleOptionsFactory,
} from './tasks.options.js';
export type { ThreadOptions } from './threads/thread-options.js';

// ── Decorators ──────────────────────────────────────────────────────────────────────────────────
export { Ctx } from './decorators/ctx.decorator.js';
export { Cron, Interval } from './decorators/schedule.decorator.js';
export { Task } from './decorators/task.decorator.js';
export type { ConcurrencyLimit, RateLimit, TaskOptions } from './contracts/task-options.js';
export type {
  Backoff,
  BackoffFunction,
  CallOptions,
  EnqueueOptions,
  ErrorClass,
  UniqueOptions,
} from './contracts/task.js';
export type { PayloadCodec } from './contracts/codec.js';
export type { Redact } from './contracts/redaction.js';
export type { Duration } from './contracts/duration.js';

// ── Calls ───────────────────────────────────────────────────────────────────────────────────────
export { task } from './client/task.js';
export type { ContractOptions } from './client/task.js';
export { TaskQueue } from './client/task-queue.js';
export type { JobHandles, ResultOf } from './client/task-queue.js';
export type { JobHandle } from './client/job-handle.js';
export { TaskAdmin } from './client/task-admin.js';
export type { JobList } from './client/task-admin.js';
export { TaskHealth } from './client/task-health.js';
export type { TaskReadiness } from './client/task-health.js';
export type { BulkOptions, JobFilter } from './client/job-filter.js';
export type { CallArgs, Json, Signature, TaskRef, TaskRefs } from './contracts/signature.js';
export type {
  FailedJob,
  JobError,
  JobInfo,
  JobState,
  OnConflict,
  Priority,
  Run,
  RunOutcome,
  WaitingFor,
} from './contracts/job.js';

// ── Schedules ───────────────────────────────────────────────────────────────────────────────────
export { TaskSchedules } from './schedules/task-schedules.js';
export { ticks } from './schedules/ticks.js';
export type {
  CatchUp,
  ScheduleDefinition,
  ScheduleInfo,
  ScheduleOptions,
  ScheduleRules,
} from './contracts/schedule-options.js';
export type { Overlap } from './contracts/engine-schedules.js';
export type { CronField, CronFields, CronSchedule, IntervalSchedule, ScheduleTime } from './contracts/schedule.js';
export { CronExpression } from '@nestjs/schedule';

// ── Events ──────────────────────────────────────────────────────────────────────────────────────
export { TaskEvents } from './client/task-events.js';
export type { TaskEvent, TaskEventName } from './contracts/events.js';

// ── Inside a task ───────────────────────────────────────────────────────────────────────────────
export { TaskContext } from './contracts/task-context.js';
export { Discard, Retry, Snooze } from './contracts/steering.js';

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────
export {
  DuplicateJobError,
  DuplicateTaskError,
  EngineUnavailableError,
  InvalidOptionsError,
  InvalidPayloadError,
  InvalidResultError,
  InvalidTaskError,
  JobLockLostError,
  PayloadCodecError,
  ResultNotFoundError,
  ResultTimeoutError,
  TaskCancelledError,
  TaskCrashedError,
  TaskExpiredError,
  TaskFailedError,
  TasksConfigurationError,
  TasksError,
  TaskShutdownError,
  TaskTimeoutError,
  ThreadStartError,
  UnknownQueueError,
  UnknownScheduleError,
  UnknownTaskError,
} from './contracts/errors.js';
