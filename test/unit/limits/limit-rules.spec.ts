import { describe, expect, it } from 'vitest';
import { InvalidOptionsError } from '../../../lib/contracts/errors.js';
import { limitsOf } from '../../../lib/limits/limit-rules.js';
import { shortHash } from '../../../lib/limits/unique-key.js';

describe('The limits of a call', () => {
  it('are none for a task without', () => {
    expect(limitsOf({}, 'Mail.send', [])).toEqual({});
  });

  it('hold for the whole task under its name', () => {
    expect(limitsOf({ concurrency: { max: 2 }, rateLimit: { max: 10, per: '1s' } }, 'Mail.send', ['a'])).toEqual({
      concurrency: { key: 'Mail.send', max: 2 },
      rate: { key: 'Mail.send', max: 10, per: 1_000 },
    });
  });

  it('hold for the hash of each key of the arguments', () => {
    const key = (tenant: string, id: number) => `${tenant}/${id}`;
    expect(
      limitsOf({ concurrency: { max: 1, key }, rateLimit: { max: 1, per: 5, key } }, 'Mail.send', ['a', 1]),
    ).toEqual({
      concurrency: { key: `Mail.send:${shortHash('a/1')}`, max: 1 },
      rate: { key: `Mail.send:${shortHash('a/1')}`, max: 1, per: 5 },
    });
  });

  it.each(['concurrency', 'rateLimit'] as const)('tell the task and %s where a key cannot be made', (option) => {
    const limit = { max: 1, per: 1, key: (user: { id: string }) => user.id };
    const make = () => limitsOf({ [option]: limit }, 'Mail.send', [undefined]);
    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(`${option}.key of task Mail.send threw for this call`);
  });
});
