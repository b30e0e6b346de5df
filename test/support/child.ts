import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { eventually } from './eventually.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A Node process of a test. */
export interface Child {
  readonly pid: number;
  /** Everything it has printed so far, errors included. */
  readonly output: string;
  /** Resolves with the first match in what it prints. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal and resolves with the exit code, or the signal's name, once the process has ended. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** The exit code, or the signal's name, once it has ended by itself; rejects after `within` milliseconds. */
  ended(within: number): Promise<number | string>;
}

/** Starts a file of the repository with Node. */
export function startNode(file: string, options: { args?: string[]; env?: NodeJS.ProcessEnv } = {}): Child {
  const { args = [], env = {} } = options;
  const child = spawn(process.execPath, [file, ...args], { cwd: root, env: { ...process.env, ...env } });
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 0)),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));

  return {
    pid: child.pid!,
    get output() {
      return output;
    },
    printed: (pattern) =>
      eventually(
        () => {
          const match = pattern.exec(output);
          if (!match) throw new Error(`${file} did not print ${pattern}. It printed:\n${output}`);
          return match;
        },
        { timeout: 15_000 },
      ),
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    ended: (within) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`It still runs after ${within} ms. It printed:\n${output}`));
        const timer = setTimeout(fail, within);
        void ended.then((code) => {
          clearTimeout(timer);
          resolve(code);
        });
      }),
  };
}

/** Starts a program written in TypeScript that uses the built package, as an app does. */
export function startProgram(source: string, env: NodeJS.ProcessEnv = {}): Child {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  return startNode('--input-type=module', { args: ['--eval', outputText], env });
}
