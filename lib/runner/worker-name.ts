import { hostname } from 'node:os';

/** Host and process, as they stand on the record of each run. */
export const WORKER_NAME = `${hostname()}:${process.pid}`;
