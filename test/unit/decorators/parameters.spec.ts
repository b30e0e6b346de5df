import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { argumentsToPass, argumentsToSend, readParameters } from '../../../lib/decorators/parameters.js';

/** Methods whose source text is what it is here, whatever the test runner makes of TypeScript. */
function methodOf(source: string): object {
  return Object.values(runInNewContext(`({ ${source} })`) as Record<string, object>)[0];
}

describe('readParameters', () => {
  it.each([
    ['run() {}', 0, false],
    ['run(/* nothing, really */) {}', 0, false],
    ['run(a, b) {}', 2, false],
    ['run(a, b,) {}', 2, false],
    ['async run(a, b = 1) {}', 2, false],
    ['run(a = 1, b) {}', 2, false],
    ['*run({ a, ...others }, [b, ...more]) {}', 2, false],
    ["run(a = ')', b = \"(,\", c = `,${','}`) {}", 3, false],
    ['run(a = call(1, ...[2, 3]), b) {}', 2, false],
    ['run(a, // one, two\n b) {}', 2, false],
    ['run(...all) {}', 1, true],
    ['async run(a, ...others) {}', 2, true],
    ['["computed(name, x"](a) {}', 1, false],
    ['[`a` + ("b")](a, ...c) {}', 2, true],
    ['run: function (a, ...b) {}', 2, true],
    ['run: async (a, b = [1, 2]) => [a, b]', 2, false],
  ])('counts the parameters of %s', (source, count, rest) => {
    expect(readParameters(methodOf(source), undefined)).toMatchObject({ count, rest });
  });

  it('trusts the declared types more than the text', () => {
    expect(readParameters(methodOf('run(a) {}'), [String, Number])).toMatchObject({ count: 2 });
  });

  it('falls back on the length of a native function', () => {
    expect(readParameters(function (this: void, _a: unknown, _b: unknown) {}.bind(undefined), undefined).count).toBe(2);
  });
});

describe('argumentsToSend', () => {
  it('drops what is beyond the parameters', () => {
    expect(argumentsToSend([1, 2, 3], { count: 1, rest: false })).toEqual([1]);
  });

  it('drops what would stand in the place of the context', () => {
    expect(argumentsToSend([1, 2, 3], { count: 2, rest: false, context: 1 })).toEqual([1]);
  });

  it('keeps all arguments of a rest parameter', () => {
    expect(argumentsToSend([1, 2, 3], { count: 1, rest: true })).toEqual([1, 2, 3]);
  });

  it('drops trailing undefined, not undefined before a value', () => {
    expect(argumentsToSend([undefined, 1, undefined], { count: 3, rest: false })).toEqual([undefined, 1]);
  });
});

describe('argumentsToPass', () => {
  it('drops what is beyond the parameters', () => {
    expect(argumentsToPass([1, 2, 3], { count: 2, rest: false }, 'context')).toEqual([1, 2]);
  });

  it('passes no more than was sent, so that defaults hold', () => {
    expect(argumentsToPass([1], { count: 2, rest: false }, 'context')).toEqual([1]);
  });

  it('puts the context in its place, whatever number was sent', () => {
    const parameters = { count: 3, rest: false, context: 2 };
    expect(argumentsToPass([], parameters, 'context')).toEqual([undefined, undefined, 'context']);
    expect(argumentsToPass([1, 2, 3, 4], parameters, 'context')).toEqual([1, 2, 'context']);
  });
});
