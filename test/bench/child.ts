// One run of one row with one system, in a process of its own; the parent gets the values, or the error.
import 'reflect-metadata';
import { Stopwatch, type Span } from './clock.js';
import { ROWS } from './rows/index.js';
import { CPU } from './rows/row.js';
import { Stage } from './stage.js';
import { loadSystem, type SystemName } from './systems/index.js';

/** What the parent asks for. */
export interface Job {
  row: string;
  system: SystemName;
  jobs: number;
  port: number;
}

/** What it gets. */
export type Answer = { values: Record<string, number>; spans: readonly Span[] } | { error: string };

process.once('message', (job: Job) => {
  void measure(job)
    .then(
      (values): Answer => ({ values, spans: Stopwatch.spans }),
      (error: unknown): Answer => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
    .then((answer) => process.send!(answer, () => process.exit('error' in answer ? 1 : 0)));
});
// Nobody is left to tell.
process.once('disconnect', () => process.exit(1));

async function measure({ row: name, system, jobs, port }: Job): Promise<Record<string, number>> {
  const row = ROWS.find((one) => one.name === name);
  if (!row) throw new Error(`There is no row '${name}'.`);
  const create = await loadSystem(system);
  const stage = new Stage(
    create({ keep: false, attempts: 1, events: false, ioTime: 0, ...row.settings, port }),
    jobs,
    port,
  );
  const values = await row.measure(stage);
  await stage.close();
  if (stage.system.isOutside) delete values[CPU.name];
  return values;
}
