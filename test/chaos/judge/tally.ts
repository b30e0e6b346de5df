/**
 * Counts the numbers that stand in a file, one a line, in `tally`. More than 255 of one count as 255.
 *
 * @throws Error for a number that is not in the tally
 */
export function readTally(text: string, tally: Uint8Array): void {
  let from = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
    const digits = text.slice(from, end);
    const number = digits === '' ? Number.NaN : Number(digits);
    if (!(number in tally)) throw new Error(`A job with the unknown number '${digits}' ran.`);
    tally[number] = Math.min(255, tally[number] + 1);
    from = end + 1;
  }
}

/** How many of the numbers are there never, and more than once. */
export function judgeTally(tally: Uint8Array): { lost: number; repeated: number } {
  let lost = 0;
  let repeated = 0;
  for (const count of tally) {
    if (count === 0) lost++;
    else if (count > 1) repeated++;
  }
  return { lost, repeated };
}
