import type { INestApplication, LoggerService, ModuleMetadata, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TasksModule, type TasksModuleOptions } from '../../lib/index.js';

export interface LoggedApp {
  app: INestApplication;
  /** What it has logged so far, errors included; of this library only. */
  lines: string[];
}

/** An app with the module and these tasks, started, and what it logs. */
export async function startLoggedApp(
  options: TasksModuleOptions,
  providers: Provider[],
  metadata: ModuleMetadata = {},
): Promise<LoggedApp> {
  const { app, lines } = await createLoggedApp(options, providers, metadata);
  await app.init();
  return { app, lines };
}

/** As `startLoggedApp`, not started yet. */
export async function createLoggedApp(
  options: TasksModuleOptions,
  providers: Provider[],
  metadata: ModuleMetadata = {},
): Promise<LoggedApp> {
  const lines: string[] = [];
  const testing = await Test.createTestingModule({
    ...metadata,
    imports: [...(metadata.imports ?? []), TasksModule.forRoot(options)],
    providers: [...(metadata.providers ?? []), ...providers],
  })
    .setLogger(recorder(lines))
    .compile();
  return { app: testing.createNestApplication(), lines };
}

function recorder(lines: string[]): LoggerService {
  const keep = (line: unknown, ...rest: unknown[]): void => {
    if (/^(BullEngine|Tasks)/.test(String(rest.at(-1)))) lines.push(String(line));
  };
  return { log: keep, warn: keep, error: keep };
}
