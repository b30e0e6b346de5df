// `npm run bench`: builds the library and the bench where they are not fresh, then runs the bench.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { checkNode, installMissing, root } from '../../.scripts/install.mjs';

/** Of this run alone: several may go on at a time. */
const output = join(root, '.build/bench', `run-${process.pid}`);
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
installBuilt();
compile();

const bench = spawn(process.execPath, ['--enable-source-maps', join(output, 'out/main.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// A terminal's Ctrl-C reaches the bench by itself; what is sent to this process alone has to be passed on.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => bench.kill(signal));
bench.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

/** A copy that stays as it is, so that a build made meanwhile does not change what is measured. */
function installBuilt() {
  const target = join(output, 'node_modules/nestjs-tasks');
  mkdirSync(target, { recursive: true });
  cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  // A package of its own, or Node would take `nestjs-tasks` for the folder above.
  writeFileSync(join(output, 'package.json'), '{ "private": true, "type": "module" }\n');
}

function compile() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(
    process.execPath,
    [compiler, '-p', 'test/bench/tsconfig.json', '--outDir', join(output, 'out')],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (status === 0) return;
  console.error('The bench did not compile: see the errors above.');
  process.exit(1);
}
