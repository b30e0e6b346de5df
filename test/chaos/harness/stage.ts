import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLANNED, type AppSetup, type Load, type Version } from '../app/setup.js';
import type { Death, JobReport } from '../judge/delivery.js';
import { emptyLedger, readLedger, type Ledger } from '../judge/ledger.js';
import { readTally } from '../judge/tally.js';
import { AppProcess } from './app-process.js';
import { Random } from './random.js';
import { ChaosRedis } from './redis.js';
import { waitUntil } from './waiting.js';

/** How long the job of a dead process stays locked, and how often workers look for one, in ms. */
export const LOCK = 2_000;
export const CHECK = 1_000;

export const QUEUES = ['default', 'mail', 'images'];

/** How long what is left to do may take at the end, in ms. */
const SETTLES_WITHIN = 3 * (LOCK + CHECK) + 10_000;

const MARGIN = 1_000;
/** The quick form lets its scenarios share the machine, and shows what is broken rather than how fast it is. */
const QUICK_MARGIN = 3_000;

const TELLING_LINES = 12;
const NOT_TELLING = new RegExp(`\\[(InstanceLoader|NestFactory)\\]|${PLANNED}`);

/** How a run of the suite was asked for. */
export interface StageOptions {
  seed: number;
  isQuick: boolean;
  /** Of the full form's numbers: 1 is all. */
  scale: number;
  /** False: workers do not look for jobs of dead processes, so that the suite has something to find. */
  recovers: boolean;
}

/** What a scenario works with: a Redis, processes of the app, and the ledgers that they write. */
export class Stage {
  readonly random: Random;
  readonly deaths: Death[] = [];
  readonly processes: AppProcess[] = [];
  private inspector: Promise<AppProcess> | undefined;
  private ledgers = 0;
  private isClosed = false;
  /** What happened before was no part of the scenario. */
  private beganAt = 0;

  private constructor(
    private readonly name: string,
    private readonly options: StageOptions,
    private readonly folder: string,
    readonly redis: ChaosRedis,
  ) {
    this.random = new Random(options.seed);
  }

  static async open(name: string, options: StageOptions, folder: string): Promise<Stage> {
    mkdirSync(join(folder, 'ledgers'), { recursive: true });
    return new Stage(name, options, folder, await ChaosRedis.start(join(folder, 'redis')));
  }

  /** What the suite itself adds to a measured time: a process has to be scheduled, and to write its line; in ms. */
  get margin(): number {
    return this.options.isQuick ? QUICK_MARGIN : MARGIN;
  }

  /** Prints what happens meanwhile. */
  note(text: string): void {
    console.log(`${this.name}: ${text}`);
  }

  /** The last lines of each process, for whoever looks for the reason of a broken promise. */
  tellWhatWasPrinted(): void {
    for (const { pid, lines } of this.processes) {
      const telling = lines.filter(({ text }) => !NOT_TELLING.test(text)).slice(-TELLING_LINES);
      if (telling.length > 0)
        this.note(`process ${pid} printed last:\n${telling.map(({ text }) => `    ${text}`).join('\n')}`);
    }
  }

  /** A number of the full form, or of the quick one. */
  size(full: number, quick: number): number {
    return this.options.isQuick ? quick : Math.max(quick, Math.round(full * this.options.scale));
  }

  /** Starts a process that enqueues only. */
  producer(options: Partial<AppSetup['options']> = {}, version?: Version): Promise<AppProcess> {
    return this.start({ worker: false, ...options }, version);
  }

  worker(options: Partial<AppSetup['options']> = {}, version?: Version): Promise<AppProcess> {
    return this.start(options, version);
  }

  workers(count: number, options: Partial<AppSetup['options']> = {}): Promise<AppProcess[]> {
    return Promise.all(Array.from({ length: count }, () => this.worker(options)));
  }

  /** Ends a process without a chance to do anything, and waits until it is gone. */
  async kill(app: AppProcess): Promise<void> {
    const at = app.kill('SIGKILL');
    this.deaths.push({ pid: app.pid, at });
    await app.ended;
  }

  /** How often each number of so many was written down by processes that write numbers only. */
  tally(numbers: number): Uint8Array {
    const tally = new Uint8Array(numbers);
    for (const text of this.files()) readTally(text, tally);
    return tally;
  }

  /** Everything that was written down since the trouble began. */
  ledger(): Ledger {
    const { acks, refusals, starts, ends } = this.files().reduce(
      (ledger, text) => readLedger(text, ledger),
      emptyLedger(),
    );
    const isPart = ({ at }: { at: number }): boolean => at >= this.beganAt;
    return {
      acks: acks.filter(isPart),
      refusals: refusals.filter(isPart),
      starts: starts.filter(isPart),
      ends: ends.filter(isPart),
    };
  }

  /** Resolves when no job is left to do, or when that takes longer than `timeout` ms. */
  async settle(timeout = SETTLES_WITHIN): Promise<boolean> {
    const inspector = await this.inspect();
    return waitUntil(async () => (await inspector.ask('open')) === 0, timeout);
  }

  /** Lets every task run, all of one key and at once, so that what stays for good is there; answers the keys. */
  async baseline(producer: AppProcess, load: Pick<Load, 'parts'>): Promise<ReadonlySet<string>> {
    await this.load(producer, { ...load, jobs: 100, over: 1, longest: 20, keys: 1 });
    if (!(await this.settle())) throw new Error('Jobs did not end before any trouble began.');
    await this.clear();
    (await this.inspect()).kill('SIGKILL');
    this.inspector = undefined;
    this.beganAt = Date.now();
    return new Set(await this.keys());
  }

  /** Enqueues from a seed of this run. */
  load(producer: AppProcess, load: Omit<Load, 'seed'>): Promise<void> {
    return producer.ask('load', { ...load, seed: this.random.below(2 ** 32) });
  }

  /** What the library says of every job that a producer was told of. */
  async reports({ acks, refusals }: Ledger): Promise<JobReport[]> {
    const ids = [...acks, ...refusals].flatMap(({ id }) => id ?? []);
    return (await this.inspect()).ask('reports', [...new Set(ids)]);
  }

  /** Forgets every job that is over. */
  async clear(): Promise<void> {
    await (await this.inspect()).ask('clear', QUEUES);
  }

  /** Every key in Redis, but for those by which workers tell each other for a moment that they have just looked. */
  async keys(): Promise<string[]> {
    const client = this.redis.connect();
    const keys = new Set<string>();
    for await (const found of client.scanStream({ count: 1_000 })) for (const key of found as string[]) keys.add(key);
    const lives = await Promise.all([...keys].map(async (key) => ({ key, left: await client.pttl(key) })));
    client.disconnect();
    return lives.filter(({ left }) => left === -1 || left > CHECK).map(({ key }) => key);
  }

  /** A process that no trouble has met, for asking. */
  private inspect(): Promise<AppProcess> {
    return (this.inspector ??= this.producer());
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const app of this.processes) if (!app.hasEnded) app.kill('SIGKILL');
    await Promise.all(this.processes.map((app) => app.ended));
    await this.redis.stop();
  }

  private files(): string[] {
    const folder = join(this.folder, 'ledgers');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  private async start(options: Partial<AppSetup['options']>, version: Version = 'current'): Promise<AppProcess> {
    const app = await AppProcess.start({
      version,
      ledger: join(this.folder, 'ledgers', `${++this.ledgers}.txt`),
      options: {
        redis: `redis://127.0.0.1:${this.redis.port}`,
        queues: Object.fromEntries(QUEUES.map((queue) => [queue, { concurrency: 10 }])),
        lockDuration: LOCK,
        stalledInterval: this.options.recovers ? CHECK : 0,
        ...options,
      },
    });
    this.processes.push(app);
    // It was under way when everything ended.
    if (this.isClosed) app.kill('SIGKILL');
    return app;
  }
}
