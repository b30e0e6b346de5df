// What `npm run bench` and `npm run chaos` have in common: a folder of test/ is compiled against a copy of the built
// package, and its main.js runs as a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { checkNode, installMissing, root } from '../../.scripts/install.mjs';

/** Builds the library and `test/<name>/` where they are not fresh, then runs `test/<name>/main.ts`; ends as it ends. */
export async function runCompiled(name) {
  // Of this run alone: several may go on at a time.
  const output = join(root, '.build', name, `run-${process.pid}`);
  process.on('exit', () => rmSync(output, { recursive: true, force: true }));

  checkNode();
  installMissing();
  try {
    const { ensureBuilt } = await import('../../.scripts/build.mjs');
    await ensureBuilt();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  installBuilt(output);
  compile(name, output);

  const main = spawn(
    process.execPath,
    ['--enable-source-maps', join(output, 'out/main.js'), ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  // A terminal's Ctrl-C reaches it by itself; what is sent to this process alone has to be passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => main.kill(signal));
  main.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** A copy that stays as it is, so that a build made meanwhile does not change what is measured. */
function installBuilt(output) {
  const target = join(output, 'node_modules/nestjs-tasks');
  mkdirSync(target, { recursive: true });
  cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  // A package of its own, or Node would take `nestjs-tasks` for the folder above.
  writeFileSync(join(output, 'package.json'), '{ "private": true, "type": "module" }\n');
}

function compile(name, output) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', `test/${name}/tsconfig.json`, '--outDir', join(output, 'out')];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`test/${name} did not compile: see the errors above.`);
  process.exit(1);
}
