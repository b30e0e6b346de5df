import { describe, expect, it } from 'vitest';
import { InvalidPayloadError } from '../../../lib/contracts/errors.js';
import { encodePayload } from '../../../lib/contracts/payload.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

describe('encodePayload', () => {
  it('writes plain data and classes that are plain data', () => {
    const value = [null, true, 'text', 1.5, { list: [1, { deep: 'yes' }] }, new Point(1, 2)];
    expect(JSON.parse(encodePayload(value, 'Value'))).toEqual([
      null,
      true,
      'text',
      1.5,
      { list: [1, { deep: 'yes' }] },
      { x: 1, y: 2 },
    ]);
  });

  it('writes the same object twice', () => {
    const shared = { a: 1 };
    expect(encodePayload([shared, shared], 'Value')).toBe('[{"a":1},{"a":1}]');
  });

  it('refuses what is nested too deeply to be written', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
    expect(() => encodePayload(deep, 'Value')).toThrow(InvalidPayloadError);
    expect(() => encodePayload(deep, 'Value')).toThrow('the value: it is nested too deeply');
  });

  const circle: Record<string, unknown> = {};
  circle.self = circle;

  it.each([
    ['a Date', new Date(), 'toISOString'],
    ['a Map', new Map(), 'fromEntries'],
    ['a Set', new Set(), '[...value]'],
    ['a BigInt', 1n, 'String(value)'],
    ['NaN', NaN, 'null'],
    ['Infinity', Infinity, 'null'],
    ['a function', () => 1, 'data'],
    ['a symbol', Symbol('s'), 'data'],
    ['a promise', Promise.resolve(), 'await'],
    ['an error', new Error('no'), 'message'],
    ['a RegExp', /a/, 'source'],
    ['a Buffer', Buffer.from('a'), 'base64'],
    ['a circle', circle, 'id'],
    ['undefined in a list', [undefined], 'send null'],
    ['an object with toJSON', new URL('http://localhost'), 'toJSON'],
  ])('refuses %s and names the place and the way out', (_, value, remedy) => {
    const encode = () => encodePayload([{ user: { field: value } }], 'Arguments of Mail.send');
    expect(encode).toThrow(InvalidPayloadError);
    expect(encode).toThrow(/^Arguments of Mail\.send cannot be sent as JSON\. \[0\]\.user\.field/);
    expect(encode).toThrow(remedy);
  });

  it('names every place at once', () => {
    try {
      encodePayload({ a: 1n, b: [new Date()] }, 'Value');
      expect.unreachable();
    } catch (error) {
      expect((error as InvalidPayloadError).issues.map(({ path }) => path)).toEqual(['a', 'b[0]']);
    }
  });
});
