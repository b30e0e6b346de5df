import { readFileSync } from 'node:fs';
import type { FailedRetention } from '../../contracts/outcome.js';
import type { RedisClient } from './redis-client.js';

/** What most scripts begin with. */
const COMMON = ['shared', 'entries', 'keeping', 'rules()'] as const;

/** The files of `with_rules()`, which makes these functions at its first call. */
const RULES = ['parking', 'rates', 'reservations', 'stopping', 'unique', 'starting', 'rules'];

/** Each script and the files it is made of, in order. */
const SCRIPTS = {
  addJobs: ['add-one', ...COMMON, 'add-jobs'],
  turn: [...COMMON, 'release', 'finish', 'take', 'turn'],
  arrive: ['arrive'],
  reclaim: [...COMMON, 'take', 'reclaim'],
  begin: ['begin'],
  extendLocks: ['extend-locks'],
  promote: [...COMMON, 'promote'],
  sweep: [...COMMON, 'sweep'],
  tidy: [...COMMON, 'tidy'],
  recover: [...COMMON, 'recover'],
  readJobs: [...COMMON, 'read-jobs'],
  countJobs: ['count-jobs'],
  cancel: [...COMMON, 'cancel'],
  retry: [...COMMON, 'retry'],
  remove: [...COMMON, 'remove'],
  move: [...COMMON, 'move'],
  note: ['note'],
  pause: ['pause'],
  ticks: [...COMMON, 'tick-decisions', 'add-jobs()', 'ticks'],
  readSchedules: ['shared', 'read-schedules'],
  setSchedule: ['set-schedule'],
  scheduleChanges: ['schedule-changes'],
  pauseSchedule: ['pause-schedule'],
} as const;

export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number;

type ScriptClient = Record<string, (key: string, args: ScriptArgument[]) => Promise<unknown>>;

/**
 * So many of these are run that they look out for broken keys only once there was an error; the last one looks at keys
 * that may not be its own.
 */
const MENDING_LATE: readonly string[] = ['addJobs', 'turn', 'tidy'] satisfies ScriptName[];

/** Reads the scripts, once per process. */
const sources = new Map<ScriptName, string>(
  (Object.entries(SCRIPTS) as [ScriptName, readonly string[]][]).map(([name, files]) => {
    const head = [
      'local call = redis.call',
      readScript('mending'),
      MENDING_LATE.includes(name) ? '' : 'call = mending',
    ];
    return [name, [...head, ...files.map(readScript)].join('\n')];
  }),
);

/** How long and how many ended jobs are kept, as the scripts read it. */
export function keepArguments({ age, count }: FailedRetention): [age: number, count: number] {
  return [Math.ceil(age), count];
}

/** Makes scripts known to a connection; ioredis sends the text once for each connection. @default all */
export function defineScripts(client: RedisClient, names: Iterable<ScriptName> = sources.keys()): void {
  for (const name of names) client.defineCommand(commandOf(name), { numberOfKeys: 1, lua: sources.get(name)! });
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
  if (file === 'rules()') return lazily('with_rules', RULES.map(readScript).join('\n'));
  if (file === 'add-jobs()') return `local function add_jobs()\n${readScript('add-jobs')}\nend`;
  return readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8');
}

/** A Lua function that runs a text once, and answers what it returned from then on. */
function lazily(name: string, lua: string): string {
  return `local ${name}_made
local function ${name}()
if ${name}_made then return ${name}_made end
local function make()
${lua}
end
${name}_made = make()
return ${name}_made
end`;
}
