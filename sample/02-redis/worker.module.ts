import { Module } from '@nestjs/common';
import { TasksModule } from 'nestjs-tasks';
import { ReportTasks } from './report.tasks.js';
import { tasksOptions } from './tasks.options.js';

@Module({
  imports: [TasksModule.forRoot(tasksOptions)],
  providers: [ReportTasks],
})
export class WorkerModule {}
