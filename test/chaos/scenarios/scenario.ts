import type { LoadPart } from '../app/setup.js';
import type { Stage } from '../harness/stage.js';
import type { Figure } from '../judge/figures.js';

/** One kind of trouble, and what is measured while it lasts. */
export interface Scenario {
  name: string;
  /** As the table has it. */
  title(stage: Stage): string;
  /** It takes long and needs little of the machine, so that it goes on beside the others. */
  isLight?: boolean;
  run(stage: Stage): Promise<readonly Figure[]>;
}

/** Several queues, and jobs that are retried, delayed, limited, unique, or not kept. */
export const MIXED: readonly LoadPart[] = [
  { task: 'plain', share: 4 },
  { task: 'plain', share: 1, delay: 3_000 },
  { task: 'retried', share: 2 },
  { task: 'limited', share: 1 },
  { task: 'single', share: 1 },
  { task: 'forgotten', share: 1 },
];
