import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const lib = fileURLToPath(new URL('../lib', import.meta.url));

/** Each room of `lib/` and the rooms that it may import from, beside itself. Imports point down only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  decorators: ['contracts'],
  discovery: ['decorators', 'contracts'],
  limits: ['contracts'],
  client: ['limits', 'discovery', 'decorators', 'contracts'],
  runner: ['limits', 'discovery', 'decorators', 'contracts'],
  schedules: ['client', 'discovery', 'decorators', 'contracts'],
  engines: ['contracts'],
  'engines/embedded': ['engines', 'contracts'],
  'engines/bull': ['engines', 'contracts'],
  threads: ['runner', 'discovery', 'engines', 'contracts'],
  // The composition root and its options.
  '': [
    'contracts',
    'decorators',
    'discovery',
    'limits',
    'client',
    'runner',
    'schedules',
    'engines',
    'threads',
    'engines/embedded',
    'engines/bull',
  ],
};

const LONGEST_FILE = 300;

interface SourceFile {
  name: string;
  room: string;
  lines: number;
  imports: readonly string[];
}

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join(lib, name)));

function read(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  const imports = [...found].map(([, specifier]) => (specifier.startsWith('.') ? inLib(path, specifier) : specifier));
  return { name: relative(lib, path), room: roomOf(relative(lib, path)), lines: text.split('\n').length, imports };
}

function inLib(from: string, specifier: string): string {
  return relative(lib, resolve(dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function roomOf(name: string): string {
  const folder = dirname(name);
  return folder === '.' ? '' : folder;
}

const names = new Set(files.map(({ name }) => name));

describe('lib', () => {
  it('has no room that the table does not know', () => {
    expect([...new Set(files.map(({ room }) => room))].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  it.each(files.map((file) => [file.name, file] as const))('%s imports downwards only', (_name, file) => {
    const rooms = file.imports.filter((name) => names.has(name)).map(roomOf);
    const allowed = new Set([file.room, ...MAY_IMPORT[file.room]]);
    expect(rooms.filter((room) => !allowed.has(room))).toEqual([]);
  });

  it('has no circle of imports', () => {
    const state = new Map<string, 'open' | 'done'>();
    const visit = (name: string, path: readonly string[]): void => {
      if (state.get(name) === 'done') return;
      if (state.get(name) === 'open') throw new Error(`A circle: ${[...path, name].join(' → ')}`);
      state.set(name, 'open');
      for (const next of files.find((file) => file.name === name)!.imports) {
        if (names.has(next)) visit(next, [...path, name]);
      }
      state.set(name, 'done');
    };
    expect(() => files.forEach(({ name }) => visit(name, []))).not.toThrow();
  });

  it('names Bull and Redis in engines/bull only, and as a type in the options', () => {
    const outside = files.filter(({ room, imports }) => {
      const mentions = imports.some((name) =>
        ['bull', 'ioredis', '@nestjs/bull', '@nestjs/bull-shared'].includes(name),
      );
      return mentions && room !== 'engines/bull';
    });
    expect(outside.map(({ name }) => name)).toEqual(['tasks.options.ts']);
    expect(readFileSync(join(lib, 'tasks.options.ts'), 'utf8')).toContain(
      `import type { Cluster, Redis, RedisOptions }`,
    );
  });

  it('has contracts that know neither Nest nor any other room', () => {
    const outside = files.filter(({ room }) => room === 'contracts').flatMap(({ imports }) => imports);
    expect(outside.filter((name) => name.startsWith('@nestjs'))).toEqual([]);
  });

  it(`has no file of more than ${LONGEST_FILE} lines`, () => {
    expect(files.filter(({ lines }) => lines > LONGEST_FILE)).toEqual([]);
  });
});
