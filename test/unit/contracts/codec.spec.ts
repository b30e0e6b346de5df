import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeWith, encodeWith, type PayloadCodec } from '../../../lib/contracts/codec.js';
import { PayloadCodecError } from '../../../lib/contracts/errors.js';

const never = new Promise<string>(() => undefined);
const later = (text: string) => new Promise<string>((resolve) => setTimeout(() => resolve(text), 29_000));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a codec that never answers', () => {
  const silent: PayloadCodec = { encode: () => never, decode: () => never };

  it.each([
    ['encode', () => encodeWith(silent, '[]', 'the result of job 7')],
    ['decode', () => decodeWith(silent, '{"nestjs-tasks:encoded":"x"}', 'the result of job 7')],
  ])('cannot %s after 30 s', async (what, call) => {
    const settled = vi.fn<(error: unknown) => void>();
    void call().catch(settled);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const [[error]] = settled.mock.calls;
    expect(error).toBeInstanceOf(PayloadCodecError);
    expect((error as Error).message).toContain(
      `The codec cannot ${what} the result of job 7: it has not answered for 30000 ms`,
    );
  });
});

describe('a codec that answers late', () => {
  it('is waited for, and leaves no timer', async () => {
    const slow: PayloadCodec = { encode: () => later('coded'), decode: () => later('[]') };
    const encoded = encodeWith(slow, '[]', 'it');
    const decoded = decodeWith(slow, '{"nestjs-tasks:encoded":"x"}', 'it');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await encoded).toBe('{"nestjs-tasks:encoded":"coded"}');
    expect(await decoded).toBe('[]');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a codec that answers at once', () => {
  it('is given no timer', async () => {
    const quick: PayloadCodec = { encode: () => 'coded', decode: () => '[]' };
    const encoded = encodeWith(quick, '[]', 'it');
    expect(vi.getTimerCount()).toBe(0);
    expect(await encoded).toBe('{"nestjs-tasks:encoded":"coded"}');
  });
});
