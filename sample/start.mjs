// `npm start`: installs and builds what is missing, then runs a sample. `npm start -- 02-redis worker` runs another.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { checkNode, installMissing, root } from '../.scripts/install.mjs';

checkNode();
const { sample, entry } = choose(process.argv.slice(2));
installMissing();

try {
  const { ensureBuilt } = await import('../.scripts/build.mjs');
  await ensureBuilt();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

console.log(`Starting ${sample}`);
const file = join(root, '.build/sample', sample, `${entry}.js`);
const app = spawn(process.execPath, ['--enable-source-maps', file], {
  cwd: root,
  stdio: 'inherit',
  // A process group of its own: a terminal's Ctrl-C reaches this process twice, by the terminal and by npm, and must
  // reach the app once, since a second signal means "at once".
  detached: process.platform !== 'win32',
});

let lastSignalAt = -Infinity;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const isEcho = performance.now() - lastSignalAt < 500;
    lastSignalAt = performance.now();
    if (!isEcho) app.kill(signal);
  });
}

// npm runs this in a shell, which ends at a SIGTERM without passing it on.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  app.kill('SIGTERM');
}, 250);
app.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

function choose([name = '01-quick-start', wanted]) {
  const folder = join(root, 'sample', name);
  if (!/^[\w-]+$/.test(name) || !existsSync(folder)) {
    const known = readdirSync(join(root, 'sample')).filter((other) => /^\d/.test(other));
    console.error(`There is no sample '${name}'. There are: ${known.join(', ')}.`);
    process.exit(1);
  }
  const known = ['main', 'api', 'worker'].filter((entryName) => existsSync(join(folder, `${entryName}.ts`)));
  if (wanted && !known.includes(wanted)) {
    console.error(`Sample ${name} has no entry '${wanted}'. It has: ${known.join(', ')}.`);
    process.exit(1);
  }
  return { sample: name, entry: wanted ?? known[0] };
}
