import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles the TypeScript files of a folder to `.build/programs/`, where they use the built package as an app does: a
 * worker thread cannot run TypeScript. Answers the path of the compiled folder.
 */
export function compileProgram(folder: string): string {
  const output = join(root, '.build/programs', folder);
  mkdirSync(output, { recursive: true });
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'));
  for (const name of names) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, folder, name), 'utf8'), {
      compilerOptions: COMPILER_OPTIONS,
    });
    writeFileSync(join(output, name.replace(/\.ts$/, '.js')), outputText);
  }
  return output;
}

/** As Node imports it, past the test runner. */
export async function importCompiled<T>(folder: string, file: string): Promise<T> {
  return (await import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href)) as T;
}

export const COMPILER_OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};
