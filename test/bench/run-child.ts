import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Job } from './child.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/** How long a child that has answered may take to end, in ms; a CPU profile is written then. */
const END_WITHIN = 10_000;

const children = new Set<ChildProcess>();
process.once('exit', killChildren);

export function killChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Runs one row with one system in a process of its own; it is gone when this answers. */
export async function runChild(job: Job, timeout: number, flags: readonly string[]): Promise<Answer> {
  const child = fork(CHILD, {
    execArgv: [...flags],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  children.add(child);
  let printed = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-2_000)));
  const exited = once(child, 'exit');
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Answer>((resolve) => {
      timer = setTimeout(
        () => resolve({ error: `No answer within ${timeout} s: jobs were lost, or it hangs.\n${printed}` }),
        timeout * 1_000,
      );
      child.once('message', (message) => resolve(message as Answer));
      child.once('error', (error) => resolve({ error: error.message }));
      child.once('exit', (code, signal) => resolve({ error: `It ended with ${code ?? signal}.\n${printed}` }));
      child.send(job);
    });
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), 'error' in answer ? 0 : END_WITHIN);
    await exited;
    return answer;
  } finally {
    clearTimeout(timer);
    children.delete(child);
  }
}
