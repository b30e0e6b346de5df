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
