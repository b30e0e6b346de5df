import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Producer } from '../app/producer.js';
import type { Question, Reply } from '../app/program.js';
import type { AppSetup } from '../app/setup.js';

const PROGRAM = fileURLToPath(new URL('../app/program.js', import.meta.url));
const STARTS_WITHIN = 20_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How a process ended: its exit code, or the signal that ended it. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  at: number;
}

/** One process of the app, started and ended by the suite. */
export class AppProcess {
  /** What it printed, line by line. */
  readonly lines: { at: number; text: string }[] = [];
  readonly ended: Promise<Exit>;
  hasEnded = false;
  private readonly open = new Map<number, (reply: Reply) => void>();
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {
    running.add(child);
    let rest = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) this.lines.push({ at: Date.now(), text: line });
      });
    }
    child.on('message', (message) => {
      if (message !== 'ready') this.open.get((message as Reply).number)?.(message as Reply);
    });
    this.ended = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      this.hasEnded = true;
      running.delete(child);
      const error = `It ended with ${code ?? signal}. It printed:\n${this.printed.slice(-2_000)}`;
      for (const reply of this.open.values()) reply({ number: 0, error });
      return { code, signal, at: Date.now() } as Exit;
    });
  }

  /** Resolves when the app has booted. */
  static async start(setup: AppSetup): Promise<AppProcess> {
    const child = fork(PROGRAM, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--expose-gc', '--enable-source-maps'],
      env: { ...process.env, CHAOS_APP: JSON.stringify(setup), NO_COLOR: '1' },
    });
    const app = new AppProcess(child);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), STARTS_WITHIN);
    });
    const first = await Promise.race([once(child, 'message'), app.ended, late]);
    clearTimeout(timer);
    if (!Array.isArray(first)) throw new Error(`An app did not start. It printed:\n${app.printed}`);
    return app;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get printed(): string {
    return this.lines.map(({ text }) => text).join('\n');
  }

  /** Calls a method of its producer. */
  async ask<M extends keyof Producer>(
    method: M,
    ...list: Parameters<Producer[M]>
  ): Promise<Awaited<ReturnType<Producer[M]>>> {
    const number = ++this.asked;
    const replied = new Promise<Reply>((resolve) => this.open.set(number, resolve));
    this.child.send({ number, method, arguments: list } satisfies Question);
    const { value, error } = await replied;
    this.open.delete(number);
    if (error !== undefined) throw new Error(`${method} failed in process ${this.pid}: ${error}`);
    return value as Awaited<ReturnType<Producer[M]>>;
  }

  /** Answers the instant at which the signal was sent. */
  kill(signal: NodeJS.Signals): number {
    this.child.kill(signal);
    return Date.now();
  }
}
