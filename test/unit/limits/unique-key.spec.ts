import { describe, expect, it } from 'vitest';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';
import { uniqueKey } from '../../../lib/limits/unique-key.js';

const keyOf = (...args: unknown[]) => uniqueKey('Mail.send', {}, args);

describe('The unique key of a call', () => {
  it('is short, and begins with the name of its task', () => {
    expect(keyOf('x'.repeat(100_000))).toMatch(/^Mail\.send:[\w-]{27}$/);
    expect(uniqueKey('Mail.count', {}, ['a'])).not.toBe(keyOf('a'));
  });

  it('is the same for the same arguments, whatever the order of their fields', () => {
    expect(keyOf({ a: 1, b: { c: [2], d: 3 } })).toBe(keyOf({ b: { d: 3, c: [2] }, a: 1 }));
    expect(keyOf({ a: 1, b: undefined })).toBe(keyOf({ a: 1 }));
  });

  it('is another one for other arguments', () => {
    const calls = [
      keyOf(),
      keyOf(1),
      keyOf('1'),
      keyOf([1]),
      keyOf([1, 2]),
      keyOf([2, 1]),
      keyOf(1, 2),
      keyOf({ a: 1 }),
    ];
    expect(new Set(calls).size).toBe(calls.length);
  });

  it('is made by the function of the user where there is one', () => {
    const key = (order: { id: string }) => order.id;
    const keyed = (order: object) => uniqueKey('Mail.send', { key }, [order]);
    expect(keyed({ id: 'one', at: 1 })).toBe(keyed({ id: 'one', at: 2 }));
    expect(keyed({ id: 'one' })).not.toBe(keyed({ id: 'two' }));
  });

  it.each([
    [() => 42, 'answered a value of type number for this call'],
    [() => '', 'answered an empty text for this call'],
    [() => undefined, 'answered undefined'],
    [async () => 'a', 'answered a promise'],
    [
      () => {
        throw new TypeError('no id');
      },
      'threw for this call: no id',
    ],
  ])('is refused where the function answers no text', (key, message) => {
    const make = () => uniqueKey('Mail.send', { key: key as () => string }, []);
    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(`unique.key of task Mail.send ${message}`);
  });
});
