import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { defineScripts } from '../../../../lib/engines/bull/scripts.js';

const folder = new URL('../../../../lib/engines/bull/scripts/', import.meta.url);
const files = readdirSync(folder).map((name): [string, string] => [name, readFileSync(new URL(name, folder), 'utf8')]);

/** The scripts as they are sent to Redis. */
function defined(): Map<string, { lua: string; numberOfKeys: number }> {
  const scripts = new Map<string, { lua: string; numberOfKeys: number }>();
  const client = {
    defineCommand: (name: string, script: { lua: string; numberOfKeys: number }) => scripts.set(name, script),
  };
  defineScripts(client as unknown as Redis);
  return scripts;
}

const scripts = [...defined()];
const code = (lua: string): string => lua.replace(/--\[\[.*?\]\]/gs, '').replace(/--.*/g, '');

describe('the scripts', () => {
  it('are there', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter(([name]) => !name.endsWith('.lua'))).toEqual([]);
  });

  it.each(files)('use each file: %s', (_name, lua) => {
    expect(scripts.some(([, script]) => script.lua.includes(lua))).toBe(true);
  });

  it.each(files)('begin with a comment that says what they do: %s', (name, lua) => {
    const head = /^--\[\[\n(.*?)\n\]\]/s.exec(lua)?.[1] ?? '';
    expect(head.trim().length).toBeGreaterThan(40);
    // A part that is run for itself names what it reads and answers; `rules.lua` answers functions to other parts.
    if (/\bKEYS\[/.test(code(lua)) || (/^return\b/m.test(code(lua)) && name !== 'rules.lua')) {
      expect(head).toMatch(/KEYS\[1\]/);
      expect(head).toMatch(/ARGV/);
      expect(head).toMatch(/Returns|Effects/);
    }
  });

  it.each(scripts)('have one key, which routes them in a cluster: %s', (_name, { numberOfKeys }) => {
    expect(numberOfKeys).toBe(1);
  });

  it.each(scripts)('declare no global: %s', (_name, { lua }) => {
    const functions = code(lua).match(/^\s*function \w+\s*\(/gm) ?? [];
    expect(functions).toEqual([]);
  });

  it.each(files)('can be read at one sitting: %s', (_name, lua) => {
    expect(lua.split('\n').length).toBeLessThanOrEqual(100);
  });
});
