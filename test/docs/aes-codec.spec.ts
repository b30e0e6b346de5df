import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aesCodec } from './aes-codec.js';

const summer = randomBytes(32);
const winter = randomBytes(32);
const json = '[{"to":"ada@example.com"},"ünïcode 🎉"]';

describe('The codec of the README', () => {
  const codec = aesCodec([['summer', summer]]);

  it('stands there as it is tested here', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(readFileSync(new URL('aes-codec.ts', import.meta.url), 'utf8').trim());
  });

  it('decodes what it encoded, which shows nothing of it', async () => {
    const data = await codec.encode(json);
    expect(await codec.decode(data)).toBe(json);
    expect(Buffer.from(data.split(':')[1], 'base64').toString()).not.toMatch(/ada|example/);
  });

  it('encodes the same text to something else each time', async () => {
    const times = await Promise.all(Array.from({ length: 100 }, async () => codec.encode(json)));
    expect(new Set(times).size).toBe(100);
  });

  it('takes an empty text', async () => {
    expect(await codec.decode(await codec.encode(''))).toBe('');
  });

  it('goes over to a new key, while the old one still decodes', async () => {
    const before = await codec.encode(json);
    const second = aesCodec([
      ['summer', summer],
      ['winter', winter],
    ]);
    const rotated = aesCodec([
      ['winter', winter],
      ['summer', summer],
    ]);
    expect(await rotated.encode(json)).toMatch(/^winter:/);
    expect(await rotated.decode(before)).toBe(json);
    // A process that was deployed before the change reads what the others encode.
    expect(await second.decode(await rotated.encode(json))).toBe(json);
    expect(() => aesCodec([['winter', winter]]).decode(before)).toThrow("there is no key 'summer'");
  });

  it('refuses another key of the same name', async () => {
    const data = await codec.encode(json);
    expect(() => aesCodec([['summer', winter]]).decode(data)).toThrow(/authenticate/);
  });

  it('refuses data in which a single bit was changed', async () => {
    const data = Buffer.from((await codec.encode(json)).split(':')[1], 'base64');
    for (let byte = 0; byte < data.length; byte++) {
      const changed = Buffer.from(data);
      changed[byte] ^= 1;
      expect(() => codec.decode(`summer:${changed.toString('base64')}`)).toThrow(/authenticate/);
    }
  });

  it('refuses data that was put under the name of another key', async () => {
    const both = aesCodec([
      ['summer', summer],
      ['autumn', summer],
    ]);
    const data = await both.encode(json);
    expect(() => both.decode(data.replace('summer', 'autumn'))).toThrow(/authenticate/);
  });

  it.each([
    '',
    'summer',
    'summer:',
    'summer:AAAA',
    `summer:${Buffer.alloc(27).toString('base64')}`,
    '__proto__:AAAA',
    json,
  ])('refuses what it never wrote: %s', (data) => {
    expect(() => codec.decode(data)).toThrow(Error);
  });

  it('refuses data that was cut, wherever', async () => {
    const [name, base64] = (await codec.encode(json)).split(':');
    const data = Buffer.from(base64, 'base64');
    for (let length = 0; length < data.length; length++) {
      const cut = data.subarray(0, length).toString('base64');
      expect(() => codec.decode(`${name}:${cut}`)).toThrow(Error);
    }
  });
});
