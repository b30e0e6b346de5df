import { forwardRef, Module, type DynamicModule } from '@nestjs/common';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMainFile, loadRootModule } from '../../../lib/threads/root-module.js';

@Module({})
class Tasks {
  static forRoot(): DynamicModule {
    return { module: Tasks };
  }
}

@Module({ imports: [Tasks.forRoot()] })
class Direct {}

@Module({ imports: [Promise.resolve({ module: Tasks })] })
class Later {}

@Module({ imports: [forwardRef(() => Direct)] })
class Around {}

@Module({ imports: [{ module: class Wrapper {}, imports: [Later] }] })
class Wrapped {}

@Module({})
class Other {}

describe('loadRootModule', () => {
  let folder: string;
  let exported: Record<string, unknown>;
  let url: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-tasks-root-'));
    const file = join(folder, 'app.module.mjs');
    // A module of Node cannot import the test's classes, so that it takes them from where the test has left them.
    writeFileSync(
      file,
      ['A', 'B', 'C'].map((name) => `export const ${name} = globalThis.exportedByTest.${name};`).join('\n'),
    );
    url = pathToFileURL(file).href;
    exported = {};
    Object.assign(globalThis, { exportedByTest: exported });
  });

  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'exportedByTest');
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['imports it', Direct],
    ['imports it as a promise', Later],
    ['imports it by way of a forward reference', Around],
    ['imports it by way of a dynamic module', Wrapped],
  ])('answers the exported module that %s', async (_, module) => {
    Object.assign(exported, { A: Other, B: module, C: 'no module' });
    expect(await loadRootModule({ module: url }, Tasks)).toBe(module);
  });

  it('answers the outermost of several', async () => {
    Object.assign(exported, { A: Direct, B: Around });
    expect(await loadRootModule({ module: url }, Tasks)).toBe(Around);
  });

  it('takes the same class under two names as one', async () => {
    Object.assign(exported, { A: Direct, B: Direct });
    expect(await loadRootModule({ module: url }, Tasks)).toBe(Direct);
  });

  it('answers the named one of several', async () => {
    Object.assign(exported, { A: Direct, B: Wrapped });
    expect(await loadRootModule({ module: url, export: 'B' }, Tasks)).toBe(Wrapped);
  });

  it('refuses to choose between several, and tells how to name one', async () => {
    Object.assign(exported, { A: Direct, B: Wrapped });
    await expect(loadRootModule({ module: url }, Tasks)).rejects.toThrow(
      /several modules .*: Direct, Wrapped\. .*export: 'Direct'/,
    );
  });

  it.each([
    ['no module that imports it', { A: Other }, undefined, /exports no module that imports TasksModule/],
    ['no such export', { A: Direct }, 'Missing', /has no export 'Missing' that is a module/],
    ['another module by that name', { A: Other, B: Direct }, 'A', /has no export 'A' that is a module/],
  ])('refuses a file with %s, and tells what to write', async (_, modules, name, message) => {
    Object.assign(exported, modules);
    const place = { module: url, ...(name !== undefined && { export: name }) };
    await expect(loadRootModule(place, Tasks)).rejects.toThrow(message);
    await expect(loadRootModule(place, Tasks)).rejects.toThrow(/module: import\.meta\.url/);
  });
});

describe('isMainFile', () => {
  it('knows the file that the process was started with, with and without its ending', () => {
    const [, main] = process.argv;
    try {
      process.argv[1] = '/app/dist/main';
      expect(isMainFile('file:///app/dist/main.js')).toBe(true);
      process.argv[1] = '/app/dist/main.js';
      expect(isMainFile('file:///app/dist/main.js')).toBe(true);
      expect(isMainFile('file:///app/dist/app.module.js')).toBe(false);
    } finally {
      process.argv[1] = main;
    }
  });
});
