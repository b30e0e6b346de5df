import { Module } from '@nestjs/common';
import { TasksModule } from 'nestjs-tasks';
import { PrimeTasks } from './prime.tasks.js';
import { PrimesController } from './primes.controller.js';
import { Sieve } from './sieve.js';

@Module({
  imports: [
    TasksModule.forRoot({
      redis: process.env.REDIS_URL,
      shutdownGrace: '2s',
      // This very file: each thread boots the module below.
      threads: { module: import.meta.url, max: 2, memory: 64, idleTimeout: '30s' },
    }),
  ],
  controllers: [PrimesController],
  providers: [PrimeTasks, Sieve],
})
export class AppModule {}
