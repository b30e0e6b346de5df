import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: {
      'nestjs-tasks': `${root}lib/index.ts`,
    },
  },
  test: {
    include: ['test/**/*.spec.ts'],
    globalSetup: ['test/support/redis-server.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Compiled programs of tests use the built package, as Node finds it.
    server: { deps: { external: [/\/\.build\/programs\//] } },
  },
});
