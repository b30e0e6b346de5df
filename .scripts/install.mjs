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
  const hasLock = existsSync(join(root, 'package-lock.json'));
  // Also with NODE_ENV=production: compiler and test runner are development dependencies.
  const args = [hasLock ? 'ci' : 'install', '--include=dev', '--no-audit', '--no-fund'];
  console.log(`Installing packages: npm ${args.join(' ')}`);
  run('npm', args, { shell: process.platform === 'win32' });
}

/** Runs a command in the repository; ends the process where it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(`${[command, ...args].join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
  process.exit(status || 1);
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
