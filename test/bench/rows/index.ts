import { bootRow } from './boot.js';
import { embeddedRow } from './embedded.js';
import { enqueueRows } from './enqueue.js';
import { growthRows } from './growth.js';
import { latencyRows } from './latency.js';
import { processRows } from './process.js';
import { redisRows } from './redis.js';
import type { Row } from './row.js';
import { threadsRow } from './threads.js';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...enqueueRows,
  ...processRows,
  ...latencyRows,
  ...redisRows,
  ...growthRows,
  bootRow,
  embeddedRow,
  threadsRow,
];
