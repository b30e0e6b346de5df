import type { Type } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import { InvalidOptionsError } from '../contracts/errors.js';
import type { ThreadSettings } from '../contracts/settings.js';

type Place = Pick<ThreadSettings, 'module' | 'export'>;

/** What `@Module({ imports })` may list; more than Nest's types say may stand there at run time. */
type Imported = { module?: unknown; imports?: readonly unknown[]; forwardRef?: () => unknown } | null | undefined;

/**
 * Imports the file that a thread boots from, and answers the module to boot: the one that is named, or the only one
 * that imports `tasksModule` and is imported by no other of the file.
 *
 * @throws InvalidOptionsError when the file exports no such module, or several
 * @throws whatever the file throws
 */
export async function loadRootModule(place: Place, tasksModule: Type): Promise<Type> {
  const exported = (await import(place.module)) as Readonly<Record<string, unknown>>;
  const modules = new Set<Type>();
  for (const [name, value] of Object.entries(exported)) {
    if (place.export !== undefined && name !== place.export) continue;
    if (isModule(value) && (await reached(value)).has(tasksModule)) modules.add(value);
  }
  const inner = new Set<unknown>();
  for (const module of modules) {
    for (const other of await reached(module)) if (other !== module) inner.add(other);
  }
  const roots = [...modules].filter((module) => !inner.has(module));
  if (roots.length === 1) return roots[0];
  throw roots.length === 0 ? noModule(place) : severalModules(place, roots);
}

/** Whether the process itself was started with this file, which a thread would then run as well. */
export function isMainFile(module: string): boolean {
  const [, main] = process.argv;
  return main !== undefined && [main, `${main}.js`].includes(fileURLToPath(module));
}

function isModule(value: unknown): value is Type {
  return typeof value === 'function' && Reflect.hasMetadata('imports', value);
}

/** The module and all that it imports, however far. */
async function reached(start: unknown, found = new Set<unknown>()): Promise<Set<unknown>> {
  const entry = (await start) as Imported;
  const imported = typeof entry === 'object' && typeof entry?.forwardRef === 'function' ? entry.forwardRef() : entry;
  const module = (imported as Imported)?.module ?? imported;
  const further = [
    ...((imported as Imported)?.imports ?? []),
    ...(isModule(module) && !found.has(module) ? importsOf(module) : []),
  ];
  found.add(module);
  for (const next of further) await reached(next, found);
  return found;
}

function importsOf(module: Type): readonly unknown[] {
  return Reflect.getMetadata('imports', module) as unknown[];
}

function noModule({ module, export: name }: Place): InvalidOptionsError {
  const what =
    name === undefined ? 'exports no module that imports' : `has no export '${name}' that is a module and imports`;
  return new InvalidOptionsError(
    `TasksModule.forRoot(): threads.module is ${module}, which ${what} TasksModule. ` +
      'Write `module: import.meta.url` in the file of the root module, and export the module from it.',
  );
}

function severalModules({ module }: Place, roots: readonly Type[]): InvalidOptionsError {
  const names = roots.map(({ name }) => name);
  return new InvalidOptionsError(
    `TasksModule.forRoot(): threads.module is ${module}, which exports several modules that import TasksModule: ` +
      `${names.join(', ')}. Name one of them: threads: { module: import.meta.url, export: '${names[0]}' }.`,
  );
}
