import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TasksModule } from 'nestjs-tasks';
import { Journal } from './journal.js';
import { ReportTasks } from './report.tasks.js';
import { SchedulesController } from './schedules.controller.js';
import { TenantsController } from './tenants.controller.js';

@Module({
  imports: [
    // Only to show that its registry has our schedules, too.
    ScheduleModule.forRoot(),
    TasksModule.forRoot({ redis: process.env.REDIS_URL, prefix: process.env.TASKS_PREFIX, shutdownGrace: '2s' }),
  ],
  controllers: [SchedulesController, TenantsController],
  providers: [ReportTasks, Journal],
})
export class AppModule {}
