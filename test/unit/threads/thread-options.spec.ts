import { describe, expect, it } from 'vitest';
import { TasksConfigurationError } from '../../../lib/contracts/errors.js';
import type { TasksModuleOptions } from '../../../lib/tasks.options.js';
import { toSettings } from '../../../lib/tasks.settings.js';

function problemsOf(threads: unknown): string[] {
  try {
    toSettings({ threads } as TasksModuleOptions);
    return [];
  } catch (error) {
    return (error as TasksConfigurationError).problems.map(({ message }) => message);
  }
}

describe('the options of threads', () => {
  it('have defaults for all but the module', () => {
    expect(toSettings({ threads: { module: 'file:///app/app.module.js' } }).threads).toEqual({
      module: 'file:///app/app.module.js',
      max: expect.any(Number),
      idleTimeout: 60_000,
      memory: 512,
      grace: 1_000,
    });
  });

  it('take a path as well, and durations as everywhere', () => {
    const threads = {
      module: '/app/app.module.js',
      export: 'App',
      max: 3,
      idleTimeout: 0,
      memory: 64,
      grace: '2s',
    } as const;
    expect(toSettings({ threads }).threads).toEqual({
      ...threads,
      module: 'file:///app/app.module.js',
      grace: 2_000,
    });
  });

  it('are absent where they are not given, and false where tasks are to stay on the event loop', () => {
    expect(toSettings({}).threads).toBeUndefined();
    expect(toSettings({ threads: false }).threads).toBe(false);
  });

  it.each([
    [{}, /threads: module is undefined\. Give import\.meta\.url/],
    [{ module: './app.module.js' }, /threads: module is '\.\/app\.module\.js'\. Give import\.meta\.url/],
    [{ module: 'file:///a.js', max: 0 }, /threads: max is 0\. Give a whole number from 1 up/],
    [{ module: 'file:///a.js', memory: 1.5 }, /threads: memory is 1\.5/],
    [{ module: 'file:///a.js', grace: 'soon' }, /threads: grace is 'soon', which is no duration/],
    [{ module: 'file:///a.js', exports: 'App' }, /unknown option 'exports'\. Did you mean 'export'\?/],
    [true, /threads takes an object of options, not true/],
  ])('are refused with the fix: %j', (threads, message) => {
    expect(problemsOf(threads)).toEqual([expect.stringMatching(message)]);
  });
});
