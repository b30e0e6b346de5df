import { readFileSync } from 'node:fs';
import type { RedisClient } from './redis-client.js';

/** Each script and the files it is made of, in order. */
const SCRIPTS = {
  addJobs: ['shared', 'add-jobs'],
  turn: ['shared', 'finish', 'take', 'turn'],
  reclaim: ['take', 'reclaim'],
  extendLocks: ['extend-locks'],
  promote: ['shared', 'promote'],
  recover: ['shared', 'recover'],
  readJobs: ['read-jobs'],
  countJobs: ['shared', 'count-jobs'],
  note: ['note'],
  pause: ['pause'],
} as const;

export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number;

type ScriptClient = Record<string, (key: string, args: ScriptArgument[]) => Promise<unknown>>;

/** Reads the scripts, once per process. */
const sources = new Map(
  Object.entries(SCRIPTS).map(([name, files]) => [
    name,
    [`local call = redis.call`, ...files.map(readScript)].join('\n'),
  ]),
);

/** Makes the scripts known to a connection; ioredis sends the text only where the server does not have it. */
export function defineScripts(client: RedisClient): void {
  for (const [name, lua] of sources) client.defineCommand(commandOf(name), { numberOfKeys: 1, lua });
}

/** Runs a script. Each has one key, which tells a cluster where to run it. */
export function runScript<T>(client: RedisClient, name: ScriptName, key: string, args: ScriptArgument[]): Promise<T> {
  // As one list: a call can have only so many arguments, and ioredis flattens it.
  return (client as unknown as ScriptClient)[commandOf(name)](key, args) as Promise<T>;
}

function commandOf(name: string): string {
  return `tasks:${name}`;
}

function readScript(file: string): string {
  return readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8');
}
