import { describe, expect, it } from 'vitest';
import { LONGEST_MESSAGE, LONGEST_STACK, toJobError } from '../../../lib/runner/failure.js';

function refuse(): never {
  throw new Error('not for you');
}

describe('toJobError', () => {
  it('keeps name, message, stack and code of an error', () => {
    const error = Object.assign(new TypeError('no such file'), { code: 'ENOENT' });
    expect(toJobError(error)).toEqual({
      name: 'TypeError',
      message: 'no such file',
      stack: error.stack,
      code: 'ENOENT',
    });
  });

  it('writes a numeric code as text and leaves out any other', () => {
    expect(toJobError(Object.assign(new Error(), { code: 11000 })).code).toBe('11000');
    expect(toJobError(Object.assign(new Error(), { code: {} }))).not.toHaveProperty('code');
  });

  it.each([
    ['text', 'plain text', 'plain text'],
    ['undefined', undefined, 'A value that is no error was thrown: undefined'],
    ['null', null, 'A value that is no error was thrown: null'],
    ['a number', 42, 'A value that is no error was thrown: 42'],
    ['a symbol', Symbol('s'), 'A value that is no error was thrown: Symbol(s)'],
    ['an object', { status: 500 }, 'A value that is no error was thrown: { status: 500 }'],
  ])('makes an error without a stack of %s', (_what, thrown, message) => {
    expect(toJobError(thrown)).toEqual({ name: 'Error', message });
  });

  it('reads an object that looks like an error', () => {
    expect(toJobError({ name: 'GatewayError', message: 'down', code: 'E1' })).toEqual({
      name: 'GatewayError',
      message: 'down',
      code: 'E1',
    });
  });

  it('adds the chain of causes to the stack', () => {
    const root = new Error('connection refused');
    const error = new Error('cannot send', { cause: new Error('no mailer', { cause: root }) });
    const stack = toJobError(error).stack!;
    expect(stack).toContain('Error: cannot send');
    expect(stack.match(/\nCaused by: /g)).toHaveLength(2);
    expect(stack).toContain(`Caused by: ${root.stack}`);
    expect(toJobError(new Error('cannot send', { cause: 'text' })).stack).toMatch(/\nCaused by: text$/);
  });

  it('ends the chain where a cause comes again', () => {
    const error = new Error('first');
    error.cause = new Error('second', { cause: error });
    const stack = toJobError(error).stack!;
    expect(stack.match(/Error: first/g)).toHaveLength(1);
    expect(stack.match(/Error: second/g)).toHaveLength(1);
  });

  it('ends a very long chain', () => {
    let error = new Error('root');
    for (let depth = 0; depth < 1_000; depth++) error = new Error(`level ${depth}`, { cause: error });
    expect(toJobError(error).stack!.match(/Caused by/g)).toHaveLength(5);
  });

  it('survives getters that throw', () => {
    const hostile: unknown = Object.create(Error.prototype, {
      name: { get: refuse },
      message: { get: refuse },
      stack: { get: refuse },
      code: { get: refuse },
      cause: { get: refuse },
    });
    expect(toJobError(hostile)).toEqual({
      name: 'Error',
      message: expect.stringMatching(/^A value that is no error/),
    });
    expect(toJobError(new Proxy({}, { get: refuse, ownKeys: refuse })).name).toBe('Error');
  });

  it('survives an object that cannot be shown', () => {
    const hostile = {
      [Symbol.for('nodejs.util.inspect.custom')]() {
        throw new Error('no');
      },
    };
    expect(toJobError(hostile).message).toContain('cannot be shown');
  });

  it('tells the members of an error that has several and no message', () => {
    const error = new AggregateError([new Error('refused by ::1'), 'refused by 127.0.0.1']);
    expect(toJobError(error).message).toBe("refused by ::1; 'refused by 127.0.0.1'");
  });

  it('cuts a huge message and keeps the frames of the stack', () => {
    const error = toJobError(new Error('x'.repeat(1_000_000)));
    expect(error.message).toHaveLength(LONGEST_MESSAGE);
    expect(error.message).toMatch(/cut, 1000000 characters in all\)$/);
    expect(error.stack!.length).toBeLessThanOrEqual(LONGEST_STACK);
    expect(error.stack).toContain('failure.spec.ts');
  });

  it('cuts a huge stack, name and code', () => {
    const huge = 'x'.repeat(1_000_000);
    const error = toJobError(Object.assign(new Error('short'), { name: huge, stack: huge, code: huge }));
    expect(error.stack).toHaveLength(LONGEST_STACK);
    expect(error.name).toHaveLength(LONGEST_MESSAGE);
    expect(error.code).toHaveLength(LONGEST_MESSAGE);
  });
});
