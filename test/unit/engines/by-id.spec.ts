import { describe, expect, it } from 'vitest';
import { ById } from '../../../lib/engines/by-id.js';

describe('ById', () => {
  it('answers what was put in under an id, until it is taken out', () => {
    const byId = new ById<number>();
    byId.set('a', 1);
    byId.set('b', 2);
    expect([byId.get('a'), byId.get('b'), byId.get('c')]).toEqual([1, 2, undefined]);
    byId.delete('a');
    byId.delete('unknown');
    expect([byId.get('a'), byId.has('a'), byId.has('b'), byId.size]).toEqual([undefined, false, true, 1]);
  });

  it('keeps what comes last under an id', () => {
    const byId = new ById<number>();
    byId.set('a', 1);
    byId.set('a', 2);
    expect([...byId.values()]).toEqual([2]);
  });

  it('uses places again, and tells its items in the order in which they came', () => {
    const byId = new ById<string>();
    for (const id of ['a', 'b', 'c']) byId.set(id, id);
    byId.delete('b');
    byId.set('d', 'd');
    byId.delete('a');
    byId.set('e', 'e');
    expect([...byId.values()]).toEqual(['c', 'd', 'e']);
  });
});
