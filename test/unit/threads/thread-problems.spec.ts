import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { Task, TasksModule, type TasksModuleOptions } from '../../../lib/index.js';
import { TasksConfigurationError } from '../../../lib/contracts/errors.js';
import { findThreadProblems } from '../../../lib/threads/thread-problems.js';

@Injectable()
class Numbers {
  @Task({ isolate: 'thread' })
  crunch(): number {
    return 1;
  }
}

async function bootProblem(options: TasksModuleOptions): Promise<string> {
  @Module({ imports: [TasksModule.forRoot(options)], providers: [Numbers] })
  class AppModule {}
  try {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await app.close();
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(TasksConfigurationError);
    return (error as Error).message;
  }
}

const TASKS = [
  { name: 'Numbers.crunch', place: 'Numbers.crunch', options: { isolate: 'thread' }, invoke: () => 1 },
] as const;

describe('the boot of an app with a task that has isolate', () => {
  it('tells the line to write where no module is named', async () => {
    expect(await bootProblem({})).toMatch(
      /@Task\(\) on Numbers\.crunch has isolate: 'thread'.*threads: \{ module: import\.meta\.url \}/,
    );
  });

  it('tells of a file that is not there', async () => {
    const message = await bootProblem({ threads: { module: 'file:///nowhere/app.module.js' } });
    expect(message).toMatch(/threads\.module is file:\/\/\/nowhere\/app\.module\.js, which cannot be imported/);
    expect(message).toContain('threads: false');
  });

  it('tells of a file that exports no such module', async () => {
    expect(await bootProblem({ threads: { module: import.meta.url } })).toMatch(
      /exports no module that imports TasksModule/,
    );
  });

  it.each([
    ['that runs no jobs', { worker: false }],
    ['whose threads are switched off', { threads: false }],
  ] as const)('says nothing in a process %s', async (_, options) => {
    expect(await bootProblem(options)).toBe('none');
  });
});

describe('findThreadProblems', () => {
  const threads = { module: 'file:///app/app.module.js', max: 1, idleTimeout: 0, memory: 64, grace: 0 };

  it('tells what to install', () => {
    const [problem, ...others] = findThreadProblems(TASKS, { threads, workerQueues: ['default'] }, () => false);
    expect(problem.message).toContain('npm install piscina');
    expect(others).toEqual([]);
  });

  it('refuses the file that the process was started with', () => {
    const module = `file://${process.argv[1]}`;
    const [problem] = findThreadProblems(TASKS, { threads: { ...threads, module }, workerQueues: ['default'] });
    expect(problem.message).toMatch(/would start the whole application again.*a file of its own/);
  });

  it('has none for a thread that is to be, and piscina installed', () => {
    expect(findThreadProblems(TASKS, { threads, workerQueues: ['default'] })).toEqual([]);
  });
});
