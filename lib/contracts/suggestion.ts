import { closest, distance } from 'fastest-levenshtein';

/** `Did you mean 'attempts'?`, or the whole list where nothing is near. */
export function suggest(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'None is known here.';
  const nearest = closest(name, known);
  const isNear = distance(name.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(name.length / 3));
  return isNear ? `Did you mean '${nearest}'?` : `Known: ${known.map((one) => `'${one}'`).join(', ')}.`;
}
