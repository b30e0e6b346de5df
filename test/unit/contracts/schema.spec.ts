import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidOptionsError, InvalidPayloadError } from '../../../lib/contracts/errors.js';
import { checkSchema, fitArguments } from '../../../lib/contracts/schema.js';

const mail = z.object({ to: z.email(), copies: z.number().default(1), lines: z.array(z.string()).optional() });

function schemaOf(validate: StandardSchemaV1['~standard']['validate']): StandardSchemaV1 {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

async function refusalOf(schema: StandardSchemaV1, ...args: unknown[]): Promise<InvalidPayloadError> {
  const fit = await fitArguments(schema, args, 'Mail.send');
  if ('refusal' in fit) return fit.refusal;
  throw new Error('They fit.');
}

describe('A schema', () => {
  it('changes the first argument and leaves the others', () => {
    expect(fitArguments(mail, [{ to: 'ada@example.com' }, 'urgent'], 'Mail.send')).toEqual({
      args: [{ to: 'ada@example.com', copies: 1 }, 'urgent'],
    });
  });

  it('makes a first argument where the call has none', () => {
    expect(fitArguments(z.string().default('all'), [], 'Mail.send')).toEqual({ args: ['all'] });
  });

  it('is told apart from one that needs time', async () => {
    const slow = z.string().transform(async (text) => text.toUpperCase());
    const fit = fitArguments(slow, ['a'], 'Mail.send');
    expect(fit).toBeInstanceOf(Promise);
    expect(await fit).toEqual({ args: ['A'] });
  });

  it('refuses with the task, and with each place and what is wrong there', async () => {
    const refusal = await refusalOf(mail, { to: 'ada', lines: ['a', 2] });
    expect(refusal).toBeInstanceOf(InvalidPayloadError);
    expect(refusal.message).toContain('The arguments of Mail.send do not fit its schema. arguments[0].to: ');
    expect(refusal.issues).toEqual([
      { path: 'arguments[0].to', message: expect.stringContaining('email') },
      { path: 'arguments[0].lines[1]', message: expect.stringContaining('string') },
    ]);
  });

  it('may write its paths as objects, or leave them out', async () => {
    const issues = [{ message: 'wrong', path: [{ key: 'to' }, { key: 0 }, Symbol('x')] }, { message: 'all wrong' }];
    expect(
      (
        await refusalOf(
          schemaOf(() => ({ issues })),
          1,
        )
      ).issues,
    ).toEqual([
      { path: 'arguments[0].to[0].Symbol(x)', message: 'wrong' },
      { path: 'arguments[0]', message: 'all wrong' },
    ]);
  });

  it('lists the first ten issues in the message, and all of them in the error', async () => {
    const refusal = await refusalOf(
      z.array(z.string()),
      Array.from({ length: 50 }, (_, index) => index),
    );
    expect(refusal.issues).toHaveLength(50);
    expect(refusal.message).toMatch(/arguments\[0\]\[9\]: [^;]+; and 40 more$/);
  });

  it.each([
    mail,
    Object.assign(
      () => undefined,
      schemaOf(() => ({ value: 1 })),
    ),
  ])('is accepted by its ~standard', (schema) => {
    expect(() => checkSchema(schema, 'schema')).not.toThrow();
  });

  it.each([{ parse: () => 1 }, { '~standard': {} }, 'mail', null, () => true])(
    'is refused without one: %s',
    (value) => {
      expect(() => checkSchema(value, '@Task() on Mail.send: schema')).toThrow(InvalidOptionsError);
      expect(() => checkSchema(value, '@Task() on Mail.send: schema')).toThrow(/Mail\.send: schema is .*~standard/);
    },
  );
});
