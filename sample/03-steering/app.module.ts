import { Module } from '@nestjs/common';
import { TasksModule } from 'nestjs-tasks';
import { AdminController } from './admin.controller.js';
import { Bank } from './bank.js';
import { JobsController } from './jobs.controller.js';
import { ShopController } from './shop.controller.js';
import { ShopTasks } from './shop.tasks.js';

@Module({
  imports: [TasksModule.forRoot({ redis: process.env.REDIS_URL, shutdownGrace: '2s' })],
  controllers: [ShopController, JobsController, AdminController],
  providers: [ShopTasks, Bank],
})
export class AppModule {}
