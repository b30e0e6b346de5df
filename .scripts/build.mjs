// Builds the library to dist/ and the samples to .build/sample/. By name it builds always; `ensureBuilt` where it has to.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from './install.mjs';

const LIBRARY = {
  name: 'library',
  config: 'lib/tsconfig.json',
  output: 'dist',
  sources: ['lib', 'tsconfig.json'],
  // The compiler leaves out what is no TypeScript.
  scripts: 'engines/bull/scripts',
};
const SAMPLES = {
  name: 'samples',
  config: 'sample/tsconfig.json',
  output: '.build/sample',
  sources: ['sample', 'tsconfig.json', 'dist'],
};

/** Builds what is missing or older than its sources. Processes that call this together take turns. */
export async function ensureBuilt() {
  await inTurn(() => {
    if (!isFresh(LIBRARY)) build(LIBRARY);
    if (!isFresh(SAMPLES)) build(SAMPLES);
  });
}

function build(part) {
  console.log(`Building the ${part.name} to ${part.output}/`);
  const startedAt = Date.now();
  // As deep as it is to be: the maps of the sources are relative to where they are written.
  const fresh = join(root, dirname(part.output), `.${basename(part.output)}.new`);
  rmSync(fresh, { recursive: true, force: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', part.config, '--outDir', fresh];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`The ${part.name} did not compile: see the errors above.`);
  if (part.scripts) cpSync(join(root, 'lib', part.scripts), join(fresh, part.scripts), { recursive: true });
  // Whoever runs the old build meanwhile never meets half a new one.
  rmSync(join(root, part.output), { recursive: true, force: true });
  renameSync(fresh, join(root, part.output));
  writeFileSync(stampOf(part), String(startedAt));
}

/** The stamp says when the build began, so that a file saved during it counts as newer. */
function isFresh(part) {
  if (!existsSync(stampOf(part)) || !existsSync(join(root, part.output))) return false;
  const builtAt = Number(readFileSync(stampOf(part), 'utf8'));
  return part.sources.every((source) => newest(join(root, source)) <= builtAt);
}

function stampOf(part) {
  return join(root, '.build', `${part.name}.stamp`);
}

/** The latest change below a path; folders count too, so that a deleted file is noticed. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), stats.mtimeMs);
}

async function inTurn(work) {
  const lock = join(root, '.build', 'lock');
  mkdirSync(join(root, '.build'), { recursive: true });
  while (!tryLock(lock)) await sleep(100);
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await inTurn(() => build(LIBRARY));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
