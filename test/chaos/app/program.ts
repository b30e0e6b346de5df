// One process of the app under test. It is told how to start by its environment, and what to do by its parent.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TasksModule } from 'nestjs-tasks';
import { LedgerWriter } from './ledger-writer.js';
import { Producer } from './producer.js';
import type { AppSetup } from './setup.js';
import { ScheduledTasks } from './scheduled-tasks.js';
import { ChaosTasks, CountedTasks, Effects, IntroducedTasks, RetiredTasks } from './tasks.js';

const { version, ledger, options } = JSON.parse(process.env.CHAOS_APP!) as AppSetup;

@Module({
  imports: [TasksModule.forRoot(options)],
  providers: [
    { provide: LedgerWriter, useFactory: () => new LedgerWriter(ledger) },
    Effects,
    ChaosTasks,
    CountedTasks,
    version === 'next' ? IntroducedTasks : RetiredTasks,
    ...(version === 'scheduled' ? [ScheduledTasks] : []),
    Producer,
  ],
})
class ChaosModule {}

/** What the parent asks for, and what it gets. */
export interface Question {
  number: number;
  method: keyof Producer;
  arguments: unknown[];
}
export interface Reply {
  number: number;
  value?: unknown;
  error?: string;
}

// Nobody is left to work for.
process.once('disconnect', () => process.exit(1));
const app = await NestFactory.createApplicationContext(ChaosModule, { logger: ['log', 'warn', 'error', 'fatal'] });
app.enableShutdownHooks();
const producer = app.get(Producer);
process.on('message', (question: Question) => void answer(question));
process.send!('ready');

async function answer({ number, method, arguments: list }: Question): Promise<void> {
  try {
    const value = await (producer[method] as (...list: unknown[]) => unknown)(...list);
    process.send!({ number, value } satisfies Reply);
  } catch (error) {
    process.send!({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
