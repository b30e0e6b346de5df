import ms from 'ms';
import { InvalidOptionsError } from './errors.js';

/** A length of time: a number of milliseconds, or text such as `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const SHAPE = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/**
 * Reads a duration as milliseconds.
 *
 * @param where names the option in the error, e.g. `delay`
 * @throws InvalidOptionsError when it is negative, not finite, or not written like `'30s'`
 */
export function toMilliseconds(duration: Duration, where: string): number {
  const milliseconds = typeof duration === 'string' && SHAPE.test(duration) ? ms(duration as ms.StringValue) : duration;
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  throw new InvalidOptionsError(
    `${where} is ${describe(duration)}, which is no duration. ` +
      `Give milliseconds from 0 up, or a number with a unit: '500ms', '30s', '5m', '2h', '7d'.`,
  );
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
