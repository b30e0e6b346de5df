import { describe, expect, it, vi } from 'vitest';
import { isRedacted, redactArguments, type Redact } from '../../../lib/contracts/redaction.js';

const hide: Redact = (value, path) => (path.at(-1) === 'card' ? '***' : value);

describe('Redacted arguments', () => {
  it('are as they were without redact', () => {
    const args = [{ card: '4111' }];
    expect(redactArguments(undefined, args)).toBe(args);
  });

  it('have something else in the place of what is hidden, at any depth, and are copies', () => {
    const args = ['a', { to: 'ada', card: '4111', items: [{ card: { number: 1 }, count: 2 }] }];
    const before = structuredClone(args);
    expect(redactArguments(hide, args)).toEqual(['a', { to: 'ada', card: '***', items: [{ card: '***', count: 2 }] }]);
    expect(args).toEqual(before);
  });

  it('are asked for with the path of each value, the outer first', () => {
    const redact = vi.fn((value: unknown) => value);
    redactArguments(redact, [{ user: { tags: ['x'] } }, null]);
    expect(redact.mock.calls).toEqual([
      [{ user: { tags: ['x'] } }, [0]],
      [{ tags: ['x'] }, [0, 'user']],
      [['x'], [0, 'user', 'tags']],
      ['x', [0, 'user', 'tags', 0]],
      [null, [1]],
    ]);
  });

  it('are not looked into where they are replaced', () => {
    expect(redactArguments((_value, path) => (path.length === 1 ? { card: 'kept' } : '***'), [{ a: 1 }])).toEqual([
      { card: 'kept' },
    ]);
  });

  it('are hidden where the function throws or answers nothing', () => {
    const forgetful: Redact = (_value, path) => (path.at(-1) === 'card' ? '***' : undefined);
    expect(redactArguments(forgetful, [{ card: 1 }, 'a', undefined])).toEqual(['[redacted]', '[redacted]', undefined]);
    const broken: Redact = (value) => (value as { to: { id: string } }).to.id;
    expect(redactArguments(broken, ['a', { to: { id: 'x' } }])).toEqual(['[redacted]', 'x']);
  });

  it('are hidden where they are nested too deeply to be looked through', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
    expect(redactArguments((value) => value, ['a', deep])).toEqual(['a', '[redacted]']);
    expect(isRedacted((value) => value, [deep], [0])).toBe(true);
  });

  it('keep fields of any name as fields of their own', () => {
    const [shown] = redactArguments(
      (value) => value,
      [JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": 1}')],
    );
    expect(Object.keys(shown as object)).toEqual(['__proto__', 'constructor']);
    expect((shown as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([
    ['the value itself', [0, 'card'], true],
    ['what contains it', [0], true],
    ['what it contains', [0, 'card', 'number'], true],
    ['its neighbour', [0, 'to'], false],
    ['a field that is not there', [0, 'copies'], false],
    ['a field of all objects', [0, 'toString'], false],
    ['another argument', [1], false],
  ] as const)('are known to be hidden at %s', (_what, path, expected) => {
    const args = [{ card: { number: 1 }, to: 'ada' }, 'b'];
    expect(isRedacted(hide, args, path)).toBe(expected);
    expect(isRedacted(undefined, args, path)).toBe(false);
  });
});
