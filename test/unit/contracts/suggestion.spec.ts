import { describe, expect, it } from 'vitest';
import { suggest } from '../../../lib/contracts/suggestion.js';

describe('suggest', () => {
  it('names the nearest word', () => {
    expect(suggest('mial', ['default', 'mail'])).toBe("Did you mean 'mail'?");
  });

  it('looks past capitals', () => {
    expect(suggest('MAIL', ['default', 'Mail'])).toContain("'Mail'");
  });

  it('lists what is known where nothing is near', () => {
    expect(suggest('pictures', ['default', 'mail'])).toBe("Known: 'default', 'mail'.");
  });

  it('says so where nothing is known', () => {
    expect(suggest('mail', [])).toBe('None is known here.');
  });
});
