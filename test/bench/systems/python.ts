import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

// Compiled to `.build/bench/run-<pid>/out/systems`; what Python runs stays where it is.
const FOLDER = fileURLToPath(new URL('../../../../../test/bench/systems/celery', import.meta.url));

/** The second one is Debian's, where its packages are; the PATH may put another one first. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** For a Python that hangs, in ms. */
const FOUND_WITHIN = 20_000;

/** How long a process that is asked to end may take, in ms. */
const END_WITHIN = 5_000;

/** A Python that has Celery, and Redis for it. */
export interface CeleryPython {
  readonly path: string;
  /** Of Celery. */
  readonly version: string;
}

/** Undefined where Celery is not installed. */
export function findCelery(): CeleryPython | undefined {
  for (const path of CANDIDATES) {
    const code = 'import celery, redis; print(celery.__version__)';
    const { status, stdout } = spawnSync(path, ['-c', code], { encoding: 'utf8', timeout: FOUND_WITHIN });
    if (status === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}

/** A Python process, and those that it starts. */
export interface PythonProcess {
  readonly child: ChildProcess;
  /** Asks it to end, and kills what is left of it. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts Python in the folder of the bench's Python files; should it end by itself, so does the bench's process. */
export function startPython(path: string, args: string[], stdio: StdioOptions, env: object): PythonProcess {
  const child = spawn(path, args, {
    cwd: FOLDER,
    // A group of its own, so that it can be killed with all that it has started.
    detached: true,
    stdio,
    env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of them are gone.
    }
  };
  const fail = (how: unknown): never => {
    throw new Error(`${path} ${args.join(' ')} ended too early: ${String(how)}`);
  };
  child.once('error', fail);
  child.once('exit', fail);
  // Writing to a process that has just died; its exit tells more.
  child.stdin?.on('error', () => undefined);
  process.once('exit', kill);
  return {
    child,
    end: async (signal) => {
      child.off('exit', fail);
      const exited = once(child, 'exit');
      const timer = setTimeout(kill, END_WITHIN);
      child.kill(signal);
      await exited;
      clearTimeout(timer);
      kill();
      process.off('exit', kill);
    },
  };
}
