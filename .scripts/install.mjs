// Plain Node without dependencies: this runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Ends the process with a clear message where Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`nestjs-tasks needs Node 20.19 or newer; this is ${process.versions.node} (${process.execPath}).`);
  process.exit(1);
}

/** Installs what the lock file names, if it is not there yet. */
export function installMissing() {
  if (isInstalled()) return;
  // Also with NODE_ENV=production: compiler and test runner are development dependencies.
  const options = ['--include=dev', '--no-audit', '--no-fund'];
  if (existsSync(join(root, 'package-lock.json')) && npm('ci', ...options)) return;
  // Where a lock does not fit this npm or its registry, the ranges of package.json still hold.
  if (npm('install', '--no-save', ...options)) return;
  console.error('The packages could not be installed: see the errors above.');
  process.exit(1);
}

function npm(...args) {
  console.log(`Installing packages: npm ${args.join(' ')}`);
  const { status, error } = spawnSync('npm', args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(`npm could not be started: ${error.message}`);
  return status === 0;
}

/** npm writes its own lock into node_modules as the last thing, so an interrupted install has none. */
function isInstalled() {
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    if (!present[path]) return optional === true;
    return present[path].version === version && existsSync(join(root, path, 'package.json'));
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
