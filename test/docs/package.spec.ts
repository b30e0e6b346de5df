import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../.scripts/build.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

const MAIN = `
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Task, TaskContext, TaskQueue, TasksModule, task, type JobHandle } from 'nestjs-tasks';

@Injectable()
class Sums {
  @Task({ attempts: 2, backoff: '10ms' })
  async add(a: number, b: number, @Ctx() context: TaskContext): Promise<{ sum: number; attempt: number }> {
    if (context.attempt === 1) throw new Error('once more');
    return { sum: a + b, attempt: context.attempt };
  }
}

@Module({ imports: [TasksModule.forRoot()], providers: [Sums] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
const job: JobHandle<{ sum: number; attempt: number }> = await app.get(TaskQueue).enqueue(task(Sums).add(20, 22));
const { sum, attempt } = await job.result({ timeout: '10s' });
// @ts-expect-error a text is no number
task(Sums).add('20', 22);
console.log(JSON.stringify({ sum, attempt }));
await app.close();
`;

const README_MAIN = `
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const post = await fetch(url + '/reports/autumn', { method: 'POST' });
const queued = (await post.json()) as { jobId: string };
const info = await fetch(url + '/reports/' + queued.jobId);
const { state } = (await info.json()) as { state: string };
console.log(JSON.stringify({ queued, state }));
await app.close();
`;

describe('the packed package', () => {
  let folder: string;
  let installed: string;

  beforeAll(async () => {
    await ensureBuilt();
    folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-app-'));
    installed = join(folder, 'node_modules/nestjs-tasks');
    const [packed] = JSON.parse(npm('pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`)) as [
      { filename: string },
    ];
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', installed, '--strip-components=1']);
    linkDependencies(join(folder, 'node_modules'));
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what an app needs and nothing else', () => {
    expect(readdirSync(installed).toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
    const scripts = readdirSync(join(root, 'lib/engines/bull/scripts')).filter((name) => name.endsWith('.lua'));
    expect(readdirSync(join(installed, 'dist/engines/bull/scripts'))).toEqual(expect.arrayContaining(scripts));
  });

  it('maps its code to the sources at their place in the repository, for stacks that can be followed', () => {
    const maps = filesBelow(join(installed, 'dist'), /\.map$/);
    const sources = maps.flatMap((map) =>
      (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources.map((source) =>
        relative(installed, join(map, '..', source)),
      ),
    );
    expect(sources).toContain('lib/index.ts');
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
  });

  it('imports only what it declares', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const declared = [...Object.keys({ ...dependencies, ...peerDependencies }), ...builtinModules];
    const code = filesBelow(join(installed, 'dist'), /\.(js|d\.ts)$/).map((file) => readFileSync(file, 'utf8'));
    const imported = code.flatMap((text) => [...text.matchAll(/(?:from |import ?\(?)'([^'.][^']*)'/g)]);
    const packages = imported.map(([, name]) => /^(node:)?((?:@[^/]+\/)?[^/]+)/.exec(name)![2]);
    expect([...new Set(packages)].filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('compiles in a strict app and runs there', () => {
    expect(runApp('sums', { 'main.ts': MAIN })).toEqual({ sum: 42, attempt: 2 });
  }, 120_000);

  it('runs the app of the README as it is printed there', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const files = [...readme.matchAll(/```ts\n\/\/ src\/(\S+)\n([^]*?)```/g)].map(([, name, code]) => [name, code]);
    expect(files.map(([name]) => name)).toEqual(['app.module.ts', 'report.tasks.ts', 'reports.controller.ts']);
    expect(runApp('readme', { ...Object.fromEntries(files), 'main.ts': README_MAIN })).toEqual({
      queued: { jobId: expect.any(String), status: 'queued' },
      state: 'delayed',
    });
  }, 120_000);

  /** Compiles an app beside the installed package, runs it, and answers the JSON that it prints. */
  function runApp(name: string, files: Record<string, string>): unknown {
    const app = join(folder, name);
    mkdirSync(app);
    for (const [file, code] of Object.entries(files)) writeFileSync(join(app, file), code);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name, type: 'module', private: true }));
    const compilerOptions = {
      module: 'nodenext',
      target: 'ES2023',
      strict: true,
      skipLibCheck: false,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      types: ['node'],
      outDir: 'dist',
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    node(join(root, 'node_modules/typescript/bin/tsc'), '-p', app);
    return JSON.parse(node(join(app, 'dist/main.js')));
  }

  /** As after an installation, without the network: every package of this repository beside the packed one. */
  function linkDependencies(target: string): void {
    const source = join(root, 'node_modules');
    for (const name of readdirSync(source).filter((entry) => !entry.startsWith('.'))) {
      if (!name.startsWith('@')) symlinkSync(join(source, name), join(target, name));
      else linkScope(source, target, name);
    }
  }

  function linkScope(source: string, target: string, scope: string): void {
    mkdirSync(join(target, scope));
    for (const name of readdirSync(join(source, scope))) {
      symlinkSync(join(source, scope, name), join(target, scope, name));
    }
  }

  function npm(...args: string[]): string {
    return execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  function node(...args: string[]): string {
    try {
      return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${basename(args[0])} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  function filesBelow(path: string, pattern: RegExp): string[] {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => pattern.test(name))
      .map((name) => join(path, name));
  }
});
