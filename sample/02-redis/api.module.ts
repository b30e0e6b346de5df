import { Module } from '@nestjs/common';
import { TasksModule } from 'nestjs-tasks';
import { ReportTasks } from './report.tasks.js';
import { ReportsController } from './reports.controller.js';
import { tasksOptions } from './tasks.options.js';

@Module({
  imports: [TasksModule.forRoot({ ...tasksOptions, worker: false })],
  controllers: [ReportsController],
  providers: [ReportTasks],
})
export class ApiModule {}
