import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { LOG_LINES, RUNS_KEPT } from '../../lib/contracts/engine.js';
import * as contracts from '../../lib/contracts/errors.js';
import { SCHEDULE_RULE_CHECKS } from '../../lib/discovery/schedule-options.js';
import { TASK_OPTION_CHECKS } from '../../lib/discovery/task-options.js';
import { DEFAULTS } from '../../lib/tasks.defaults.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('the first screen', () => {
  const firstScreen = readme.split('\n').slice(0, 40).join('\n');
  const blocks = [...firstScreen.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code);

  it('has the command that installs, three blocks and what one sees', () => {
    expect(firstScreen).toContain('npm install nestjs-tasks');
    expect(blocks).toHaveLength(3);
    expect(firstScreen.split('```').at(-1)).toContain('"status": "queued"');
  });

  it.each([
    ['module', 0, 'app.module.ts'],
    ['task', 1, 'mail.tasks.ts'],
    ['controller', 2, 'users.controller.ts'],
  ])('shows the %s of sample 01', (_, index, file) => {
    let rest = squeeze(readFileSync(join(root, 'sample/01-quick-start', file), 'utf8'));
    for (const part of squeeze(blocks[index]).split(squeeze('/* … */'))) {
      expect(rest).toContain(part);
      rest = rest.slice(rest.indexOf(part) + part.length);
    }
  });
});

describe('the table of errors', () => {
  const rows = tableUnder('Errors').map(([name, code, when, solution]) => ({ name, code, when, solution }));

  it('has each class with its code, when it comes and how to solve it', () => {
    expect(Object.fromEntries(rows.map(({ name, code }) => [name, code]))).toEqual(
      Object.fromEntries(errorsOfTheCode()),
    );
    expect(rows).toHaveLength(errorsOfTheCode().length);
    for (const { when, solution } of rows) expect(Math.min(when.length, solution.length)).toBeGreaterThan(0);
  });

  it('gives each class a code of its own', () => {
    const codes = errorsOfTheCode().map(([, code]) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('the table of defaults', () => {
  it('has the values of the code, and each of them', () => {
    const documented = tableUnder('Defaults').map(([option, value]) => [option, valueOf(value)]);
    expect(Object.fromEntries(documented)).toEqual(DEFAULTS);
    expect(documented).toHaveLength(Object.keys(DEFAULTS).length);
  });

  it('is followed by the numbers of log lines and runs', () => {
    expect(readme).toContain(
      `The last ${LOG_LINES.toLocaleString('en')} log lines and the last ${RUNS_KEPT} runs of a job are kept.`,
    );
  });

  it('agrees with the defaults in the other tables', () => {
    const options = Object.fromEntries(tableUnder('Tasks').map(([option, value]) => [option, value]));
    expect(valueOf(options.attempts)).toBe(DEFAULTS.attempts);
    expect(valueOf(options.timeout)).toBe(DEFAULTS.timeout);
    expect(valueOf(options.keepResult)).toBe(DEFAULTS.keepResult);
  });
});

describe('the tables of options', () => {
  it.each([
    ['forRoot()', 'Redis', optionsOf('lib/tasks.options.ts', 'TasksModuleOptions')],
    ['threads', 'CPU-bound tasks', optionsOf('lib/threads/thread-options.ts', 'ThreadOptions')],
    ['@Task()', 'Tasks', Object.keys(TASK_OPTION_CHECKS)],
  ])('have each option of %s, and no other', (_options, heading, options) => {
    const documented = tableUnder(heading).map(([option]) => option);
    expect(documented.toSorted()).toEqual(options.toSorted());
  });

  it('have each option of @Cron() that @Task() does not have', () => {
    const documented = tableUnder('Schedules').map(([option]) => option);
    expect(documented).toEqual(expect.arrayContaining(Object.keys(SCHEDULE_RULE_CHECKS)));
  });
});

describe('the contents', () => {
  it('have each section, in its order', () => {
    const sections = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    const contents = readme.slice(readme.indexOf('\n## Contents\n')).split('\n## ')[1];
    const listed = [...contents.matchAll(/\[([^\]]+)\]/g)].map(([, heading]) => heading);
    expect(listed).toEqual(sections.filter((heading) => heading !== 'Contents'));
  });
});

describe.each([
  'README.md',
  'sample/01-quick-start/README.md',
  'sample/02-redis/README.md',
  'sample/03-steering/README.md',
  'sample/04-schedules/README.md',
  'sample/05-threads/README.md',
])('links of %s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);

  it('lead to files that exist', () => {
    const paths = links.filter((link) => !/^(https?:|#)/.test(link)).map((link) => link.split('#')[0]);
    expect(paths.filter((path) => !existsSync(join(root, dirname(file), path)))).toEqual([]);
  });

  it('lead to headings that exist', () => {
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replaceAll(' ', '-'));
    const anchors = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });
});

/** Without white space and without the trailing commas that a formatter adds. */
function squeeze(code: string): string {
  return code.replaceAll(/\s+/g, '').replaceAll(/,(?=[)\]}])/g, '');
}

/** Name and code of every error class that the library declares. */
function errorsOfTheCode(): [name: string, code: string][] {
  const source = readFileSync(join(root, 'lib/contracts/errors.ts'), 'utf8');
  const found = [...source.matchAll(/^export class (\w+) [^]*?\bcode\b[^=]*= '(\w+)'/gm)];
  expect(found.map(([, name]) => name).toSorted()).toEqual(Object.keys(contracts).toSorted());
  return found.map(([, name, code]) => [name, code]);
}

/** Names of the fields of an interface. */
function optionsOf(file: string, name: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const [, body] = new RegExp(`^export interface ${name} {\n([^]*?)^}`, 'm').exec(source)!;
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, option]) => option);
}

/** Cells of the first table under a heading, without the code quotes around a whole cell. */
function tableUnder(heading: string): string[][] {
  const section = readme.slice(readme.indexOf(`\n## ${heading}\n`)).split('\n## ')[1];
  const lines = section.slice(section.indexOf('\n|') + 1).split('\n\n')[0];
  const [, , ...rows] = lines.trim().split('\n');
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
  );
}

function valueOf(code: string): unknown {
  return runInNewContext(`(${code})`);
}
