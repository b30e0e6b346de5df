import type { CreateSystem } from './system.js';

/** Each system under its name in tables, in the order of the columns. Loaded where it is used, and only there. */
const LOADERS = {
  ours: async () => (await import('./ours.js')).createOurs,
  bull: async () => (await import('./bull.js')).createBull,
  'nest-bull': async () => (await import('./nest-bull.js')).createNestBull,
  bullmq: async () => (await import('./bullmq.js')).createBullMq,
  'nest-bullmq': async () => (await import('./nest-bullmq.js')).createNestBullMq,
  bee: async () => (await import('./bee.js')).createBee,
  celery: async () => (await import('./celery.js')).createCelery,
} as const satisfies Record<string, () => Promise<CreateSystem>>;

export type SystemName = keyof typeof LOADERS;

export const SYSTEM_NAMES = Object.keys(LOADERS) as SystemName[];

export const SYSTEM_TITLES: Readonly<Record<SystemName, string>> = {
  ours: 'nestjs-tasks',
  bull: 'Bull',
  'nest-bull': '@nestjs/bull',
  bullmq: 'BullMQ',
  'nest-bullmq': '@nestjs/bullmq',
  bee: 'bee-queue',
  celery: 'Celery',
};

export async function loadSystem(name: SystemName): Promise<CreateSystem> {
  return LOADERS[name]();
}
