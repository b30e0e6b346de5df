import { Injectable } from '@nestjs/common';

/** Counts primes, slowly: by trial division. */
@Injectable()
export class Sieve {
  isPrime(candidate: number): boolean {
    if (candidate < 2) return false;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
    return true;
  }

  count(from: number, to: number): number {
    let count = 0;
    for (let candidate = from; candidate < to; candidate++) if (this.isPrime(candidate)) count++;
    return count;
  }
}
