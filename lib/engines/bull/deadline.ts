/**
 * Calls `onLate` after `milliseconds`, unless the answered function is called first.
 *
 * Node looks at timers before it looks at sockets: after a long synchronous task a reply may lie there unread, so that
 * sockets get one more turn before anything counts as late.
 */
export function startDeadline(milliseconds: number, onLate: () => void): () => void {
  let isOver = false;
  const timer = setTimeout(() => {
    setImmediate(() => {
      if (!isOver) onLate();
    });
  }, milliseconds);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/**
 * As `startDeadline`, and begins anew each time that something has moved, as long as it is not over after `longest`.
 *
 * @param hasMoved since it was asked last
 */
export function startDeadlineOfSilence(
  silence: number,
  longest: number,
  onLate: () => void,
  hasMoved: () => boolean,
): () => void {
  const end = Date.now() + longest;
  let stop: () => void;
  const wait = (): void => {
    stop = startDeadline(silence, () => {
      if (hasMoved() && Date.now() < end) wait();
      else onLate();
    });
  };
  wait();
  return () => stop();
}
