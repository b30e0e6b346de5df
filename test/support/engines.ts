import { inject } from 'vitest';
import type { TasksModuleOptions } from '../../lib/index.js';
import { freshPrefix } from './redis.js';

/** Both engines, for `describe.each(ENGINES)`: what a user does works the same on each. */
export const ENGINES: readonly [name: string, options: () => TasksModuleOptions][] = [
  ['embedded', () => ({})],
  ['bull', () => ({ redis: inject('redisUrl'), prefix: freshPrefix() })],
];
