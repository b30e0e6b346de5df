// What the threads of the row `threads` boot.
import { Injectable, Module } from '@nestjs/common';
import { Ctx, Task, TaskContext, TasksModule } from 'nestjs-tasks';
import { setTimeout as sleep } from 'node:timers/promises';

export const MOST_THREADS = 4;

@Injectable()
export class ThreadTasks {
  @Task({ isolate: 'thread', keepResult: false })
  isolated(value: number): number {
    return value;
  }

  @Task({ keepResult: false })
  onLoop(value: number): number {
    return value;
  }

  /** Keeps its thread until it is told to end. */
  @Task({ isolate: 'thread', keepResult: false, attempts: 1 })
  async hold(@Ctx() context: TaskContext): Promise<void> {
    await context.progress('held');
    await sleep(60_000, undefined, { signal: context.signal });
  }
}

@Module({
  imports: [TasksModule.forRoot({ threads: { module: import.meta.url, max: MOST_THREADS } })],
  providers: [ThreadTasks],
})
export class ThreadModule {}
