/** Calls `step` once per number below `count`, with so many calls under way at a time; each end begins the next. */
export async function inLanes(
  lanes: number,
  from: number,
  to: number,
  step: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) await step(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Lists of the numbers from `from` up to `to`, each of at most `size`. */
export function* chunks(from: number, to: number, size: number): Generator<number[]> {
  for (let at = from; at < to; at += size) {
    yield Array.from({ length: Math.min(size, to - at) }, (_, index) => at + index);
  }
}
